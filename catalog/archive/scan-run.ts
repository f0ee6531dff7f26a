import type { CatalogStore } from '../catalog-store.ts'
import { itemSeparator } from '../json/value-text.ts'
import type { ArchivedRun } from '../spec/history.ts'

/** An item's line in shared bytes, and the 64 bits of its snapshot id. */
export interface ScannedItem {
  readonly offset: number
  readonly sizeBytes: number
  readonly high: number
  readonly low: number
}

export type RunPlace = Omit<ArchivedRun, 'before'>

/**
 * Reads the items of a run in order, one chunk of the file in memory at a time. Only their places and
 * snapshot ids are looked at: both lists' items have one member `"snapshot-id"` with a number, and
 * their text is ours, so that nothing else in a line looks like it.
 */
export async function scanRun(store: Pick<CatalogStore, 'readRange'>, location: string, run: RunPlace, onItem: (item: ScannedItem) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = run.offset
  for await (const chunk of store.readRange(location, { offset: run.fileOffset, length: run.sizeBytes })) {
    const bytes = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
      onItem({ offset, sizeBytes: end - start - comma, ...snapshotIdAt(bytes, start) })
      offset += end + 1 - start
      start = end + 1
    }
    rest = Buffer.from(bytes.subarray(start))
  }
  if (rest.length > 0) onItem({ offset, sizeBytes: rest.length, ...snapshotIdAt(rest, 0) })
}

const lineFeed = 0x0a
const comma = itemSeparator.length - 1
const idMember = Buffer.from('"snapshot-id":')
const minus = 0x2d
const digit0 = 0x30
const digit9 = 0x39

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

/** The id in the line that begins at `start`. */
function snapshotIdAt(bytes: Buffer, start: number): { readonly high: number; readonly low: number } {
  for (let at = bytes.indexOf(idMember, start); at !== -1; at = bytes.indexOf(idMember, at + 1)) {
    const first = bytes[at + idMember.length] ?? 0
    if (first === minus) return negated(digitsAt(bytes, at + idMember.length + 1))
    if (first >= digit0 && first <= digit9) return digitsAt(bytes, at + idMember.length)
  }
  return { high: 0, low: 0 }
}

/** Decimal digits as 64 bits: six at a time, so that no product passes 2^53. */
function digitsAt(bytes: Buffer, start: number): { high: number; low: number } {
  let high = 0
  let low = 0
  let group = 0
  let scale = 1
  const add = (): void => {
    const product = low * scale + group
    high = (high * scale + Math.floor(product / 0x1_0000_0000)) % 0x1_0000_0000
    low = product % 0x1_0000_0000
    group = 0
    scale = 1
  }
  for (let at = start; ; at++) {
    const code = bytes[at] ?? 0
    if (code < digit0 || code > digit9) break
    group = group * 10 + code - digit0
    scale *= 10
    if (scale === 1_000_000) add()
  }
  add()
  return { high, low }
}

function negated({ high, low }: { readonly high: number; readonly low: number }): { high: number; low: number } {
  const value = BigInt.asUintN(64, -((BigInt(high) << 32n) | BigInt(low)))
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) }
}

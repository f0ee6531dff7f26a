import type { CatalogStore } from '../catalog-store.ts'
import type { Int64 } from '../json/json.ts'
import { itemSeparator } from '../json/value-text.ts'
import type { ArchivedRun } from '../spec/history.ts'
import { scanRun, type RunPlace, type ScannedItem } from './scan-run.ts'

/** Where an item is in the shared bytes that an index is of. */
export interface ItemPlace {
  readonly offset: number
  readonly sizeBytes: number
}

/** Which snapshot is where in one sequence of shared bytes, as far as it was looked at: 32 bytes for each. */
class ArchiveIndex {
  /** Ranges that are indexed, ascending, apart from each other. */
  #covered: { readonly start: number; readonly end: number }[] = []
  #count = 0
  #highs = new Uint32Array(256)
  #lows = new Uint32Array(256)
  #offsets = new Float64Array(256)
  #sizes = new Uint32Array(256)
  /** Open addressing: one more than an entry's number, 0 where there is none. */
  #slots = new Int32Array(1024)

  get sizeBytes(): number {
    return this.#highs.length * 20 + this.#slots.length * 4
  }

  find(high: number, low: number): ItemPlace | undefined {
    const mask = this.#slots.length - 1
    for (let slot = hashOf(high, low) & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] ?? 0) - 1
      if (entry === -1) return undefined
      if (this.#highs[entry] === high && this.#lows[entry] === low) return { offset: this.#offsets[entry] ?? 0, sizeBytes: this.#sizes[entry] ?? 0 }
    }
  }

  /** The parts of the run that are not indexed yet; between these and the others is a separator. */
  missing(run: RunPlace): RunPlace[] {
    const runEnd = run.offset + run.sizeBytes
    const gaps: RunPlace[] = []
    const add = (start: number, end: number): void => {
      if (end > start) gaps.push({ sharedId: run.sharedId, offset: start, sizeBytes: end - start, fileOffset: run.fileOffset + start - run.offset })
    }
    let start = run.offset
    for (const range of this.#covered) {
      if (range.end <= start || range.start >= runEnd) continue
      add(start, range.start - itemSeparator.length)
      start = range.end + itemSeparator.length
    }
    add(start, runEnd)
    return gaps
  }

  add(high: number, low: number, offset: number, sizeBytes: number): void {
    if (this.#count === this.#highs.length) this.#grow()
    const entry = this.#count++
    this.#highs[entry] = high
    this.#lows[entry] = low
    this.#offsets[entry] = offset
    this.#sizes[entry] = sizeBytes
    this.#place(entry)
  }

  cover(start: number, end: number): void {
    const ranges = [...this.#covered, { start, end }].sort((left, right) => left.start - right.start)
    const joined: { start: number; end: number }[] = []
    for (const range of ranges) {
      const last = joined.at(-1)
      if (last !== undefined && range.start <= last.end + itemSeparator.length) last.end = Math.max(last.end, range.end)
      else joined.push({ ...range })
    }
    this.#covered = joined
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1
    let slot = hashOf(this.#highs[entry] ?? 0, this.#lows[entry] ?? 0) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = entry + 1
  }

  #grow(): void {
    const length = this.#highs.length * 2
    this.#highs = extended(this.#highs, new Uint32Array(length))
    this.#lows = extended(this.#lows, new Uint32Array(length))
    this.#offsets = extended(this.#offsets, new Float64Array(length))
    this.#sizes = extended(this.#sizes, new Uint32Array(length))
    this.#slots = new Int32Array(length * 4)
    for (let entry = 0; entry < this.#count; entry++) this.#place(entry)
  }
}

function extended<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function hashOf(high: number, low: number): number {
  return Math.imul(high ^ Math.imul(low, 0x9e3779b1), 0x85ebca6b) >>> 7
}

/**
 * The indexes of a worker, by sequence, made from the text of runs as they are asked for. Sequences
 * only grow, so an index never goes stale. Bounded in bytes; the least recently used go first.
 */
export class ArchiveIndexes {
  readonly #indexes = new Map<string, ArchiveIndex>()
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Looks up snapshots in `runs` of the metadata file at `location`, all of whose items are indexed then. */
  async open(store: Pick<CatalogStore, 'readRange'>, location: string, runs: readonly ArchivedRun[]): Promise<ArchiveLookup> {
    const indexes = new Map<string, ArchiveIndex>()
    for (const { before: _, ...run } of runs) {
      const index = indexes.get(run.sharedId) ?? this.#indexes.get(run.sharedId) ?? new ArchiveIndex()
      indexes.set(run.sharedId, index)
      for (const gap of index.missing(run)) await fill(store, location, gap, index)
    }
    for (const [sharedId, index] of indexes) this.#keep(sharedId, index)
    return new ArchiveLookup(runs, indexes)
  }

  #keep(sharedId: string, index: ArchiveIndex): void {
    this.#indexes.delete(sharedId)
    this.#indexes.set(sharedId, index)
    let sizeBytes = 0
    for (const each of this.#indexes.values()) sizeBytes += each.sizeBytes
    for (const [oldest, each] of this.#indexes) {
      if (sizeBytes <= this.#maxBytes) return
      this.#indexes.delete(oldest)
      sizeBytes -= each.sizeBytes
    }
  }
}

/** Added when all of it is read: two that read the same at once, or one that fails, leave no half. */
async function fill(store: Pick<CatalogStore, 'readRange'>, location: string, gap: RunPlace, index: ArchiveIndex): Promise<void> {
  const items: ScannedItem[] = []
  await scanRun(store, location, gap, (item) => items.push(item))
  if (index.missing(gap).every(({ offset, sizeBytes }) => offset !== gap.offset || sizeBytes !== gap.sizeBytes)) return
  for (const { high, low, offset, sizeBytes } of items) index.add(high, low, offset, sizeBytes)
  index.cover(gap.offset, gap.offset + gap.sizeBytes)
}

/** Which snapshots some runs hold. */
export class ArchiveLookup {
  readonly #runs: readonly ArchivedRun[]
  readonly #indexes: ReadonlyMap<string, ArchiveIndex>

  constructor(runs: readonly ArchivedRun[], indexes: ReadonlyMap<string, ArchiveIndex>) {
    this.#runs = runs
    this.#indexes = indexes
  }

  /** The snapshot's place in the shared bytes and in the file. */
  find(id: Int64): RunPlace | undefined {
    const bits = BigInt.asUintN(64, BigInt(id))
    const high = Number(bits >> 32n)
    const low = Number(bits & 0xffff_ffffn)
    for (const [sharedId, index] of this.#indexes) {
      const place = index.find(high, low)
      if (place === undefined) continue
      const run = this.#runs.find((each) => each.sharedId === sharedId && each.offset <= place.offset && place.offset < each.offset + each.sizeBytes)
      if (run !== undefined) return { sharedId, ...place, fileOffset: run.fileOffset + place.offset - run.offset }
    }
    return undefined
  }

  /** The same indexes for fewer runs. */
  within(runs: readonly ArchivedRun[]): ArchiveLookup {
    return new ArchiveLookup(runs, this.#indexes)
  }
}

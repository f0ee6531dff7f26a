import { must } from '../../base/assert.ts'
import type { CatalogStore } from '../catalog-store.ts'
import type { TableUpdate } from '../commit/updates.ts'
import type { Int64 } from '../json/json.ts'
import { decodeUtf8, parseJson } from '../json/parse.ts'
import { itemSeparator } from '../json/value-text.ts'
import { historyOf, piecesOf, runAfter, takeOut, type FoundItem, type History } from '../spec/history.ts'
import { decodeSnapshot, type Snapshot } from '../spec/snapshot.ts'
import type { SnapshotLogEntry, TableMetadata } from '../spec/table-metadata.ts'
import type { ArchiveIndexes } from './archive-index.ts'
import { scanRun, type RunPlace } from './scan-run.ts'

interface Reader {
  readonly store: Pick<CatalogStore, 'readRange'>
  readonly archiveIndexes: ArchiveIndexes
}

/** Metadata that updates can be applied to. */
export interface BroughtBack {
  readonly metadata: TableMetadata
  /** Whether a snapshot is in a run that is not in memory. */
  readonly isArchived: (id: Int64) => boolean
}

/**
 * Brings into memory what `updates` touch of the runs of `metadata`, which was read from `location`:
 * snapshots that are named again, added again or removed; and with a removal, the end of the log
 * that is left of it. Updates need to know no more of what stays archived than which ids there are.
 */
export async function bringBack(reader: Reader, location: string, metadata: TableMetadata, updates: readonly TableUpdate[]): Promise<BroughtBack> {
  const { archived } = metadata
  const ids = touchedIds(metadata, updates)
  if (archived === undefined || archived.snapshots.length + archived['snapshot-log'].length === 0 || ids.size === 0) return { metadata, isArchived: () => false }
  const lookup = await reader.archiveIndexes.open(reader.store, location, archived.snapshots)
  const places = [...ids].flatMap((id) => lookup.find(id) ?? [])
  const isRemoval = updates.some(({ action }) => action === 'remove-snapshots')
  // The usual commit adds a snapshot and touches no other.
  if (places.length === 0 && !isRemoval) return { metadata, isArchived: (id) => lookup.find(id) !== undefined }
  const found = await readSnapshots(reader.store, location, places)
  const snapshots = takeOut({ items: metadata.snapshots, runs: archived.snapshots }, found)
  const removed = new Set(updates.flatMap((update) => (update.action === 'remove-snapshots' ? update.snapshotIds : [])))
  const existing = new Set(snapshots.items.map((snapshot) => snapshot['snapshot-id']).filter((id) => removed.has(id)))
  const log = await logAfter(reader.store, location, { items: metadata['snapshot-log'], runs: archived['snapshot-log'] }, existing)
  const left = lookup.within(snapshots.runs)
  return {
    metadata: {
      ...metadata,
      snapshots: snapshots.items,
      'snapshot-log': log.items,
      archived: { ...archived, snapshots: snapshots.runs, 'snapshot-log': log.runs },
    },
    isArchived: (id) => left.find(id) !== undefined,
  }
}

function touchedIds(metadata: TableMetadata, updates: readonly TableUpdate[]): ReadonlySet<Int64> {
  const ids = new Set<Int64>()
  for (const update of updates) {
    if (update.action === 'add-snapshot') ids.add(update.snapshot['snapshot-id'])
    if (update.action === 'set-snapshot-ref') ids.add(update.ref['snapshot-id'])
    if (update.action === 'remove-snapshots') for (const id of update.snapshotIds) ids.add(id)
  }
  const added = new Set(updates.flatMap((update) => (update.action === 'add-snapshot' ? [update.snapshot['snapshot-id']] : [])))
  const isRemoval = updates.some(({ action }) => action === 'remove-snapshots')
  // Others that are in memory need no look; a removal must look through the log in any case.
  if (!isRemoval) for (const snapshot of metadata.snapshots) if (!added.has(snapshot['snapshot-id'])) ids.delete(snapshot['snapshot-id'])
  return ids
}

/** Neighbours are read in one go: expiring removes them by the thousand. */
async function readSnapshots(store: Pick<CatalogStore, 'readRange'>, location: string, places: readonly RunPlace[]): Promise<FoundItem<Snapshot>[]> {
  const sorted = places.toSorted((left, right) => left.fileOffset - right.fileOffset)
  const found: FoundItem<Snapshot>[] = []
  for (let first = 0; first < sorted.length; ) {
    let next = first + 1
    while (next < sorted.length && follows(sorted[next - 1], sorted[next])) next++
    const group = sorted.slice(first, next)
    const start = must(group[0], 'a group has a place').fileOffset
    const last = must(group.at(-1), 'a group has a place')
    const bytes = await readBytes(store, location, start, last.fileOffset + last.sizeBytes - start)
    for (const { sharedId, offset, sizeBytes, fileOffset } of group) {
      const text = decodeUtf8(bytes.subarray(fileOffset - start, fileOffset - start + sizeBytes))
      found.push({ sharedId, offset, sizeBytes, item: decodeSnapshot(parseJson(text), 'snapshot') })
    }
    first = next
  }
  return found
}

function follows(left: RunPlace | undefined, right: RunPlace | undefined): boolean {
  return left !== undefined && right !== undefined && left.fileOffset + left.sizeBytes + itemSeparator.length === right.fileOffset
}

async function readBytes(store: Pick<CatalogStore, 'readRange'>, location: string, offset: number, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.readRange(location, { offset, length })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The log without its runs up to the last archived entry of a removed snapshot: see `finishSnapshotLog`. */
async function logAfter(
  store: Pick<CatalogStore, 'readRange'>, location: string, log: History<SnapshotLogEntry>, removed: ReadonlySet<Int64>,
): Promise<History<SnapshotLogEntry>> {
  if (removed.size === 0 || log.runs.length === 0) return log
  const bits = new Set([...removed].map((id) => BigInt.asUintN(64, BigInt(id))).map((id) => key(Number(id >> 32n), Number(id & 0xffff_ffffn))))
  const pieces = piecesOf(log)
  for (let index = pieces.length - 1; index >= 0; index--) {
    const piece = pieces[index]
    if (piece?.kind !== 'run') continue
    let end: number | undefined
    await scanRun(store, location, piece.run, ({ high, low, offset, sizeBytes }) => {
      if (bits.has(key(high, low))) end = offset + sizeBytes
    })
    if (end !== undefined) return historyOf([...runAfter<SnapshotLogEntry>(piece.run, end), ...pieces.slice(index + 1)])
  }
  return log
}

function key(high: number, low: number): string {
  return `${high} ${low}`
}

import { CatalogError, validationError } from '../errors.ts'
import { addInt64, maxInt64, type Int64 } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { withItem } from '../json/value-text.ts'
import { filterHistory, historyOf, piecesOf, type History, type Piece } from '../spec/history.ts'
import { mainBranch, sequenceNumberOf, type Snapshot, type SnapshotRef } from '../spec/snapshot.ts'
import type { SnapshotLogEntry } from '../spec/table-metadata.ts'
import type { TableDraft } from './table-draft.ts'

/** Stale sequence numbers and row ids are conflicts, not mistakes: the client refreshes and retries. */
export function addSnapshot(draft: TableDraft, snapshot: Snapshot): void {
  const { metadata } = draft
  const id = snapshot['snapshot-id']
  if (metadata.schemas.length === 0) throw validationError('Attempting to add a snapshot before a schema is added')
  if (metadata['partition-specs'].length === 0) throw validationError('Attempting to add a snapshot before a partition spec is added')
  if (metadata['sort-orders'].length === 0) throw validationError('Attempting to add a snapshot before a sort order is added')
  if (metadata.snapshots.some((candidate) => candidate['snapshot-id'] === id)) throw validationError(`Snapshot already exists for id: ${id}`)
  const sequenceNumber = sequenceNumberOf(snapshot)
  const last = metadata['last-sequence-number']
  if (metadata['format-version'] > 1) {
    if (sequenceNumber <= last && snapshot['parent-snapshot-id'] !== undefined) {
      throw new CatalogError('CommitFailed', `Cannot add snapshot with sequence number ${sequenceNumber} older than last sequence number ${last}`)
    }
    metadata['last-sequence-number'] = maxInt64(last, sequenceNumber)
  }
  if (metadata['format-version'] >= 3) assignRows(draft, snapshot)
  metadata.snapshots = withItem(metadata.snapshots, snapshot)
  draft.addedSnapshotIds.add(id)
  draft.lastUpdatedMs = snapshot['timestamp-ms']
  draft.changed = true
}

/** Row lineage: https://iceberg.apache.org/spec/#row-lineage. Rows of every branch are counted. */
function assignRows(draft: TableDraft, snapshot: Snapshot): void {
  const { metadata } = draft
  const firstRowId = snapshot['first-row-id']
  if (firstRowId === undefined) throw validationError('Cannot add a snapshot: first-row-id is null')
  if (firstRowId < metadata['next-row-id']) {
    throw new CatalogError(
      'CommitFailed',
      `Cannot add a snapshot with first-row-id behind table next-row-id: ${firstRowId} < ${metadata['next-row-id']}`,
    )
  }
  metadata['next-row-id'] = addInt64(firstRowId, snapshot['added-rows'] ?? 0)
}

export function setSnapshotRef(draft: TableDraft, name: string, ref: SnapshotRef): void {
  const { metadata } = draft
  const existing = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined
  if (existing !== undefined && stringifyJson(existing as never) === stringifyJson(ref as never)) return
  const snapshot = metadata.snapshots.find((candidate) => candidate['snapshot-id'] === ref['snapshot-id'])
  if (snapshot === undefined) throw validationError(`Cannot set ${name} to unknown snapshot: ${ref['snapshot-id']}`)
  if (name === mainBranch && ref.type !== 'branch') throw validationError('Cannot set main to a tag: it is a branch')
  if (draft.addedSnapshotIds.has(ref['snapshot-id'])) draft.lastUpdatedMs = snapshot['timestamp-ms']
  if (name === mainBranch && metadata['current-snapshot-id'] !== ref['snapshot-id']) {
    metadata['current-snapshot-id'] = ref['snapshot-id']
    draft.lastUpdatedMs ??= draft.nowMs
    draft.currentIds.add(ref['snapshot-id'])
    metadata['snapshot-log'] = withItem(metadata['snapshot-log'], { 'timestamp-ms': draft.lastUpdatedMs, 'snapshot-id': ref['snapshot-id'] })
  }
  const refs: Record<string, SnapshotRef> = Object.assign(Object.create(null), metadata.refs)
  refs[name] = ref
  metadata.refs = refs
  draft.changed = true
}

export function removeSnapshotRef(draft: TableDraft, name: string): void {
  const { metadata } = draft
  if (name === mainBranch) metadata['current-snapshot-id'] = undefined
  if (!Object.hasOwn(metadata.refs, name)) return
  const refs: Record<string, SnapshotRef> = Object.assign(Object.create(null), metadata.refs)
  delete refs[name]
  metadata.refs = refs
  draft.changed = true
}

/** Removes snapshots with their statistics, and the branches and tags that named them. */
export function removeSnapshots(draft: TableDraft, snapshotIds: readonly Int64[]): void {
  const { metadata } = draft
  const removed = new Set(snapshotIds)
  const kept = filterHistory({ items: metadata.snapshots, runs: metadata.archived?.snapshots ?? [] }, (snapshot) => !removed.has(snapshot['snapshot-id']))
  if (kept.items.length === metadata.snapshots.length) return
  metadata.snapshots = kept.items
  if (metadata.archived !== undefined) metadata.archived = { ...metadata.archived, snapshots: kept.runs }
  metadata.statistics = metadata.statistics.filter((file) => !removed.has(file['snapshot-id']))
  metadata['partition-statistics'] = metadata['partition-statistics'].filter((file) => !removed.has(file['snapshot-id']))
  for (const [name, ref] of Object.entries(metadata.refs)) if (removed.has(ref['snapshot-id'])) removeSnapshotRef(draft, name)
  draft.removedSnapshots = true
  draft.changed = true
}

/**
 * The snapshot log without what time travel must not see: snapshots that were current only within
 * this commit, and everything before a removed snapshot (the gap would make an older one seem current).
 */
export function finishSnapshotLog(draft: TableDraft): History<SnapshotLogEntry> {
  const { metadata } = draft
  const log = { items: metadata['snapshot-log'], runs: metadata.archived?.['snapshot-log'] ?? [] }
  const currentId = metadata['current-snapshot-id']
  const intermediate = new Set([...draft.currentIds].filter((id) => draft.addedSnapshotIds.has(id) && id !== currentId))
  if (intermediate.size === 0 && !draft.removedSnapshots) return log
  const known = new Set(metadata.snapshots.map((snapshot) => snapshot['snapshot-id']))
  let kept: Piece<SnapshotLogEntry>[] = []
  for (const piece of piecesOf(log)) {
    // Entries of removed snapshots were brought back with what comes before them.
    if (piece.kind === 'run') {
      kept.push(piece)
      continue
    }
    const id = piece.item['snapshot-id']
    if (!known.has(id) && !draft.isArchived(id)) {
      if (draft.removedSnapshots) kept = []
    } else if (!intermediate.has(id)) kept.push(piece)
  }
  const last = kept.at(-1)
  if (currentId !== undefined && (last?.kind !== 'item' || last.item['snapshot-id'] !== currentId)) {
    throw validationError('Cannot set invalid snapshot log: latest entry is not the current snapshot')
  }
  return historyOf(kept)
}

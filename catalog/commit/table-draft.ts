import type { Int64 } from '../json/json.ts'
import { lastUnassignedPartitionId } from '../spec/partition-spec.ts'
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Table metadata while a commit's updates are applied to it, and what later updates must know of earlier ones. */
export interface TableDraft {
  readonly base: TableMetadata | undefined
  readonly metadata: Writable<TableMetadata>
  readonly nowMs: number
  /** Whether a snapshot exists that is not in memory. */
  readonly isArchived: (id: Int64) => boolean
  /** What `-1` means in the updates that choose a schema, spec or sort order. */
  lastAddedSchemaId: number | undefined
  lastAddedSpecId: number | undefined
  lastAddedOrderId: number | undefined
  readonly addedSnapshotIds: Set<Int64>
  /** The snapshots that `main` was set to, in this commit. */
  readonly currentIds: Set<Int64>
  removedSnapshots: boolean
  lastUpdatedMs: Int64 | undefined
  /** An update had an effect. */
  changed: boolean
}

export function draftOf(base: TableMetadata, nowMs: number, isArchived: TableDraft['isArchived'] = () => false): TableDraft {
  return newDraft(base, { ...base }, nowMs, isArchived)
}

/** The draft of a table that does not exist yet. */
export function emptyDraft(formatVersion: FormatVersion, uuid: string, location: string, nowMs: number): TableDraft {
  return newDraft(undefined, {
    'format-version': formatVersion,
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0,
    'last-updated-ms': nowMs,
    'last-column-id': 0,
    'current-schema-id': -1,
    schemas: [],
    'default-spec-id': -1,
    'partition-specs': [],
    'last-partition-id': lastUnassignedPartitionId,
    'default-sort-order-id': -1,
    'sort-orders': [],
    properties: {},
    'current-snapshot-id': undefined,
    'next-row-id': 0,
    'encryption-keys': [],
    refs: {},
    snapshots: [],
    statistics: [],
    'partition-statistics': [],
    'snapshot-log': [],
    'metadata-log': [],
  }, nowMs, () => false)
}

function newDraft(
  base: TableMetadata | undefined, metadata: Writable<TableMetadata>, nowMs: number, isArchived: TableDraft['isArchived'],
): TableDraft {
  return {
    base,
    metadata,
    nowMs,
    isArchived,
    lastAddedSchemaId: undefined,
    lastAddedSpecId: undefined,
    lastAddedOrderId: undefined,
    addedSnapshotIds: new Set(),
    currentIds: new Set(),
    removedSnapshots: false,
    lastUpdatedMs: undefined,
    changed: base === undefined,
  }
}

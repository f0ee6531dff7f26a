import { validationError } from '../errors.ts'
import { array, int32, int64, object, oneOf, optional, record, string, type Decoder } from '../json/decode.ts'
import type { Int64 } from '../json/json.ts'

/** https://iceberg.apache.org/spec/#snapshots */
export interface Snapshot {
  readonly 'snapshot-id': Int64
  readonly 'parent-snapshot-id'?: Int64
  /** Absent in format version 1: 0. */
  readonly 'sequence-number'?: Int64
  readonly 'timestamp-ms': Int64
  /** One of these two: version 1 may list manifests instead of naming a list. */
  readonly 'manifest-list'?: string
  readonly manifests?: readonly string[]
  readonly summary?: Readonly<Record<string, string>>
  readonly 'schema-id'?: number
  readonly 'first-row-id'?: Int64
  readonly 'added-rows'?: Int64
  /** The encryption key of the manifest list. */
  readonly 'key-id'?: string
}

const decodeSnapshotShape = object({
  'sequence-number': optional(int64),
  'snapshot-id': int64,
  'parent-snapshot-id': optional(int64),
  'timestamp-ms': int64,
  summary: optional(record(string)),
  'manifest-list': optional(string),
  manifests: optional(array(string)),
  'schema-id': optional(int32),
  'first-row-id': optional(int64),
  'added-rows': optional(int64),
  'key-id': optional(string),
})

export const decodeSnapshot: Decoder<Snapshot> = (value, at) => {
  const snapshot = decodeSnapshotShape(value, at)
  if (snapshot['manifest-list'] === undefined && snapshot.manifests === undefined) {
    throw validationError(`Invalid snapshot ${snapshot['snapshot-id']}: no manifest-list`)
  }
  if (snapshot.summary !== undefined && snapshot.summary['operation'] === undefined) {
    throw validationError(`Invalid snapshot ${snapshot['snapshot-id']}: summary without operation`)
  }
  const addedRows = snapshot['added-rows']
  if (addedRows !== undefined && addedRows < 0) throw validationError(`Invalid added-rows (cannot be negative): ${addedRows}`)
  const firstRowId = snapshot['first-row-id']
  if (firstRowId !== undefined && firstRowId < 0) throw validationError(`Invalid first-row-id (cannot be negative): ${firstRowId}`)
  if (firstRowId !== undefined && addedRows === undefined) throw validationError('Invalid added-rows (required when first-row-id is set): null')
  return snapshot
}

export function sequenceNumberOf(snapshot: Snapshot): Int64 {
  return snapshot['sequence-number'] ?? 0
}

/** A branch or a tag. https://iceberg.apache.org/spec/#snapshot-references */
export interface SnapshotRef {
  readonly 'snapshot-id': Int64
  readonly type: 'branch' | 'tag'
  readonly 'min-snapshots-to-keep'?: number
  readonly 'max-snapshot-age-ms'?: Int64
  readonly 'max-ref-age-ms'?: Int64
}

export const mainBranch = 'main'

export const snapshotRefShape = {
  'snapshot-id': int64,
  type: oneOf('branch', 'tag'),
  'min-snapshots-to-keep': optional(int32),
  'max-snapshot-age-ms': optional(int64),
  'max-ref-age-ms': optional(int64),
} as const

const decodeRefShape = object(snapshotRefShape)

export const decodeSnapshotRef: Decoder<SnapshotRef> = (value, at) => {
  const ref = decodeRefShape(value, at)
  const minSnapshots = ref['min-snapshots-to-keep']
  const maxSnapshotAgeMs = ref['max-snapshot-age-ms']
  const maxRefAgeMs = ref['max-ref-age-ms']
  if (ref.type === 'tag' && minSnapshots !== undefined) throw validationError('Tags do not support setting minSnapshotsToKeep')
  if (ref.type === 'tag' && maxSnapshotAgeMs !== undefined) throw validationError('Tags do not support setting maxSnapshotAgeMs')
  if (minSnapshots !== undefined && minSnapshots <= 0) throw validationError('Min snapshots to keep must be greater than 0')
  if (maxSnapshotAgeMs !== undefined && maxSnapshotAgeMs <= 0) throw validationError('Max snapshot age must be greater than 0 ms')
  if (maxRefAgeMs !== undefined && maxRefAgeMs <= 0) throw validationError('Max reference age must be greater than 0')
  return ref
}

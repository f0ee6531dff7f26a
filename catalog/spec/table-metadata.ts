import { validationError } from '../errors.ts'
import { array, asObject, int32, int64, object, optional, record, string, withDefault, type Decoder } from '../json/decode.ts'
import type { Int64, Json, JsonObject } from '../json/json.ts'
import type { Archived } from './history.ts'
import {
  bindPartitionSpec, decodePartitionFields, decodePartitionSpec, highestPartitionId, lastUnassignedPartitionId, type PartitionSpec,
} from './partition-spec.ts'
import { decodeSchema, highestFieldId, type Schema } from './schema.ts'
import { decodeSnapshot, decodeSnapshotRef, mainBranch, sequenceNumberOf, type Snapshot, type SnapshotRef } from './snapshot.ts'
import { decodeSortOrder, unsorted, type SortOrder } from './sort-order.ts'
import {
  decodeEncryptedKey, decodePartitionStatisticsFile, decodeStatisticsFile, type EncryptedKey, type PartitionStatisticsFile, type StatisticsFile,
} from './statistics.ts'

/**
 * Table metadata, versions 1 to 3, normalized: version 1's single schema and spec are lists here too.
 * https://iceberg.apache.org/spec/#table-metadata-fields. Values are never mutated.
 */
export interface TableMetadata {
  readonly 'format-version': FormatVersion
  readonly 'table-uuid': string
  readonly location: string
  readonly 'last-sequence-number': Int64
  readonly 'last-updated-ms': Int64
  readonly 'last-column-id': number
  readonly 'current-schema-id': number
  readonly schemas: readonly Schema[]
  readonly 'default-spec-id': number
  readonly 'partition-specs': readonly PartitionSpec[]
  readonly 'last-partition-id': number
  readonly 'default-sort-order-id': number
  readonly 'sort-orders': readonly SortOrder[]
  readonly properties: Properties
  /** Undefined: the table has no current snapshot. */
  readonly 'current-snapshot-id': Int64 | undefined
  /** 0 before version 3. */
  readonly 'next-row-id': Int64
  readonly 'encryption-keys': readonly EncryptedKey[]
  readonly refs: Readonly<Record<string, SnapshotRef>>
  readonly snapshots: readonly Snapshot[]
  readonly statistics: readonly StatisticsFile[]
  readonly 'partition-statistics': readonly PartitionStatisticsFile[]
  readonly 'snapshot-log': readonly SnapshotLogEntry[]
  readonly 'metadata-log': readonly MetadataLogEntry[]
  /**
   * Runs of snapshots and of both logs' entries that are not in memory; absent: the lists above are whole.
   * Every snapshot that `refs` names is in memory.
   */
  readonly archived?: Archived
}

export type FormatVersion = 1 | 2 | 3
export const latestFormatVersion: FormatVersion = 3
export type Properties = Readonly<Record<string, string>>

export interface SnapshotLogEntry {
  readonly 'timestamp-ms': Int64
  readonly 'snapshot-id': Int64
}

export interface MetadataLogEntry {
  readonly 'timestamp-ms': Int64
  readonly 'metadata-file': string
}

export const decodeFormatVersion: Decoder<FormatVersion> = (value, at) => {
  const version = int32(value, at)
  if (version !== 1 && version !== 2 && version !== 3) throw validationError(`Cannot read unsupported version ${version}`)
  return version
}

export const decodeMetadataLog: Decoder<readonly MetadataLogEntry[]> = array(object({ 'timestamp-ms': int64, 'metadata-file': string }))

const decodeCommon = object({
  'table-uuid': optional(string),
  location: string,
  'last-updated-ms': int64,
  'last-column-id': int32,
  properties: withDefault(record(string), {}),
  'current-snapshot-id': optional(int64),
  'next-row-id': withDefault(int64, 0),
  'encryption-keys': withDefault(array(decodeEncryptedKey), []),
  refs: optional(record(decodeSnapshotRef)),
  snapshots: withDefault(array(decodeSnapshot), []),
  statistics: withDefault(array(decodeStatisticsFile), []),
  'partition-statistics': withDefault(array(decodePartitionStatisticsFile), []),
  'snapshot-log': withDefault(array(object({ 'timestamp-ms': int64, 'snapshot-id': int64 })), []),
  'metadata-log': withDefault(decodeMetadataLog, []),
})

/** Reads a metadata.json. `newUuid` names a version 1 table that has no UUID yet. */
export function decodeTableMetadata(value: Json, newUuid: () => string): TableMetadata {
  const source = asObject(value, 'table metadata')
  const formatVersion = decodeFormatVersion(source['format-version'], 'format-version')
  const common = decodeCommon(source, '')
  const currentId = common['current-snapshot-id'] === -1 ? undefined : common['current-snapshot-id']
  if (formatVersion > 1 && common['table-uuid'] === undefined) throw validationError('Cannot parse missing field: table-uuid')
  const metadata: TableMetadata = {
    'format-version': formatVersion,
    'table-uuid': common['table-uuid'] ?? newUuid(),
    location: stripTrailingSlash(common.location),
    'last-sequence-number': formatVersion === 1 ? 0 : int64(source['last-sequence-number'], 'last-sequence-number'),
    'last-updated-ms': common['last-updated-ms'],
    'last-column-id': common['last-column-id'],
    ...decodeSchemas(source, formatVersion),
    ...decodeSpecs(source, formatVersion),
    ...decodeSortOrders(source, formatVersion),
    properties: common.properties,
    'current-snapshot-id': currentId,
    'next-row-id': common['next-row-id'],
    'encryption-keys': common['encryption-keys'],
    refs: common.refs ?? (currentId === undefined ? {} : { [mainBranch]: { 'snapshot-id': currentId, type: 'branch' } }),
    snapshots: common.snapshots,
    statistics: common.statistics,
    'partition-statistics': common['partition-statistics'],
    'snapshot-log': common['snapshot-log'],
    'metadata-log': common['metadata-log'],
  }
  validateTableMetadata(metadata)
  return metadata
}

function decodeSchemas(source: JsonObject, formatVersion: FormatVersion): Pick<TableMetadata, 'schemas' | 'current-schema-id'> {
  if (source['schemas'] === undefined && formatVersion === 1) {
    const schema = decodeSchema(source['schema'], 'schema')
    return { 'current-schema-id': schema['schema-id'], schemas: [schema] }
  }
  const schemas = array(decodeSchema)(source['schemas'], 'schemas')
  const currentId = int32(source['current-schema-id'], 'current-schema-id')
  if (!schemas.some((schema) => schema['schema-id'] === currentId)) {
    throw validationError(`Cannot find schema with current-schema-id=${currentId} from schemas`)
  }
  return { 'current-schema-id': currentId, schemas }
}

function decodeSpecs(
  source: JsonObject, formatVersion: FormatVersion,
): Pick<TableMetadata, 'partition-specs' | 'default-spec-id' | 'last-partition-id'> {
  if (source['partition-specs'] === undefined && formatVersion === 1) {
    const spec = bindPartitionSpec({ 'spec-id': 0, fields: decodePartitionFields(source['partition-spec'], 'partition-spec') }, lastUnassignedPartitionId)
    return { 'default-spec-id': 0, 'partition-specs': [spec], 'last-partition-id': highestPartitionId(spec) }
  }
  const specs = array(decodePartitionSpec)(source['partition-specs'], 'partition-specs').map((spec) => bindPartitionSpec(spec, lastUnassignedPartitionId))
  const defaultId = int32(source['default-spec-id'], 'default-spec-id')
  if (!specs.some((spec) => spec['spec-id'] === defaultId)) throw validationError(`Cannot find partition spec with default-spec-id=${defaultId}`)
  const lastId = optional(int32)(source['last-partition-id'], 'last-partition-id')
  if (lastId === undefined && formatVersion > 1) throw validationError('Cannot parse missing field: last-partition-id')
  return { 'default-spec-id': defaultId, 'partition-specs': specs, 'last-partition-id': lastId ?? Math.max(...specs.map(highestPartitionId)) }
}

function decodeSortOrders(source: JsonObject, formatVersion: FormatVersion): Pick<TableMetadata, 'sort-orders' | 'default-sort-order-id'> {
  if (source['sort-orders'] === undefined && formatVersion === 1) return { 'default-sort-order-id': 0, 'sort-orders': [unsorted] }
  const orders = array(decodeSortOrder)(source['sort-orders'], 'sort-orders')
  const defaultId = int32(source['default-sort-order-id'], 'default-sort-order-id')
  if (!orders.some((order) => order['order-id'] === defaultId)) throw validationError(`Cannot find sort order with default-sort-order-id=${defaultId}`)
  return { 'default-sort-order-id': defaultId, 'sort-orders': orders }
}

/** What must hold between the parts of any table metadata, wherever it came from. */
export function validateTableMetadata(metadata: TableMetadata): void {
  const ids = new Set<Int64>()
  for (const snapshot of metadata.snapshots) {
    if (ids.has(snapshot['snapshot-id'])) throw validationError(`Duplicate snapshot id: ${snapshot['snapshot-id']}`)
    ids.add(snapshot['snapshot-id'])
    if (metadata['format-version'] > 1 && sequenceNumberOf(snapshot) > metadata['last-sequence-number']) {
      throw validationError(
        `Invalid snapshot with sequence number ${sequenceNumberOf(snapshot)} greater than last sequence number ${metadata['last-sequence-number']}`,
      )
    }
  }
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (!ids.has(ref['snapshot-id'])) throw validationError(`Snapshot for reference ${name} does not exist in the existing snapshots list`)
  }
  const main = metadata.refs[mainBranch]
  const currentId = metadata['current-snapshot-id']
  if (main !== undefined && main['snapshot-id'] !== currentId) {
    throw validationError(`Current snapshot ID does not match main branch (${currentId ?? 'none'} != ${main['snapshot-id']})`)
  }
  if (main === undefined && currentId !== undefined) throw validationError(`Current snapshot is set, but main ref does not exist: ${currentId}`)
  const highest = metadata.schemas.reduce((last, schema) => Math.max(last, highestFieldId(schema)), 0)
  if (highest > metadata['last-column-id']) {
    throw validationError(`Invalid last column ID: ${metadata['last-column-id']} < ${highest} (previous last column ID)`)
  }
}

export function currentSchema(metadata: TableMetadata): Schema {
  const found = metadata.schemas.find((schema) => schema['schema-id'] === metadata['current-schema-id'])
  if (found === undefined) throw validationError(`Cannot find schema with current-schema-id=${metadata['current-schema-id']} from schemas`)
  return found
}

export function stripTrailingSlash(location: string): string {
  return location.replace(/(?<=[^/])\/+$/, '')
}

/** Which snapshots a representation carries: all, or those that branches and tags name. */
export type SnapshotMode = 'all' | 'refs'

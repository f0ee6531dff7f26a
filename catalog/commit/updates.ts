import { badRequest } from '../errors.ts'
import { array, asObject, int32, int64, object, optional, string, type Decoder } from '../json/decode.ts'
import type { Int64, JsonObject } from '../json/json.ts'
import { decodePartitionSpec, type UnboundPartitionSpec } from '../spec/partition-spec.ts'
import { decodeSchema, type Schema } from '../spec/schema.ts'
import { decodeSnapshot, decodeSnapshotRef, type Snapshot, type SnapshotRef } from '../spec/snapshot.ts'
import { decodeSortOrder, type SortOrder } from '../spec/sort-order.ts'
import {
  decodeEncryptedKey, decodePartitionStatisticsFile, decodeStatisticsFile, type EncryptedKey, type PartitionStatisticsFile, type StatisticsFile,
} from '../spec/statistics.ts'
import { sharedDecoders, type SharedUpdate, type UpdateDecoders } from './shared-updates.ts'

/** The 23 changes that a commit can make to a table. Specification: `TableUpdate`. */
export type TableUpdate =
  | SharedUpdate
  | { readonly action: 'add-schema'; readonly schema: Schema; readonly lastColumnId: number | undefined }
  | { readonly action: 'set-current-schema'; readonly schemaId: number }
  | { readonly action: 'add-spec'; readonly spec: UnboundPartitionSpec }
  | { readonly action: 'set-default-spec'; readonly specId: number }
  | { readonly action: 'add-sort-order'; readonly sortOrder: SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly sortOrderId: number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | { readonly action: 'set-snapshot-ref'; readonly refName: string; readonly ref: SnapshotRef }
  | { readonly action: 'remove-snapshots'; readonly snapshotIds: readonly Int64[] }
  | { readonly action: 'remove-snapshot-ref'; readonly refName: string }
  | { readonly action: 'set-statistics'; readonly statistics: StatisticsFile }
  | { readonly action: 'remove-statistics'; readonly snapshotId: Int64 }
  | { readonly action: 'set-partition-statistics'; readonly statistics: PartitionStatisticsFile }
  | { readonly action: 'remove-partition-statistics'; readonly snapshotId: Int64 }
  | { readonly action: 'remove-partition-specs'; readonly specIds: readonly number[] }
  | { readonly action: 'remove-schemas'; readonly schemaIds: readonly number[] }
  | { readonly action: 'add-encryption-key'; readonly key: EncryptedKey }
  | { readonly action: 'remove-encryption-key'; readonly keyId: string }

const decoders: UpdateDecoders<TableUpdate> = {
  ...sharedDecoders,
  'add-schema': (source, at) => ({
    action: 'add-schema',
    schema: decodeSchema(source['schema'], `${at}.schema`),
    lastColumnId: optional(int32)(source['last-column-id'], `${at}.last-column-id`),
  }),
  'set-current-schema': (source, at) => ({ action: 'set-current-schema', schemaId: int32(source['schema-id'], `${at}.schema-id`) }),
  'add-spec': (source, at) => ({ action: 'add-spec', spec: decodePartitionSpec(source['spec'], `${at}.spec`) }),
  'set-default-spec': (source, at) => ({ action: 'set-default-spec', specId: int32(source['spec-id'], `${at}.spec-id`) }),
  'add-sort-order': (source, at) => ({ action: 'add-sort-order', sortOrder: decodeSortOrder(source['sort-order'], `${at}.sort-order`) }),
  'set-default-sort-order': (source, at) => ({
    action: 'set-default-sort-order',
    sortOrderId: int32(source['sort-order-id'], `${at}.sort-order-id`),
  }),
  'add-snapshot': (source, at) => ({ action: 'add-snapshot', snapshot: decodeSnapshot(source['snapshot'], `${at}.snapshot`) }),
  'set-snapshot-ref': (source, at) => ({
    action: 'set-snapshot-ref',
    refName: string(source['ref-name'], `${at}.ref-name`),
    ref: decodeSnapshotRef(source, at),
  }),
  'remove-snapshots': (source, at) => ({
    action: 'remove-snapshots',
    snapshotIds: array(int64)(source['snapshot-ids'], `${at}.snapshot-ids`),
  }),
  'remove-snapshot-ref': (source, at) => ({ action: 'remove-snapshot-ref', refName: string(source['ref-name'], `${at}.ref-name`) }),
  'set-statistics': (source, at) => ({ action: 'set-statistics', statistics: decodeStatistics(source, at) }),
  'remove-statistics': (source, at) => ({ action: 'remove-statistics', snapshotId: int64(source['snapshot-id'], `${at}.snapshot-id`) }),
  'set-partition-statistics': (source, at) => ({
    action: 'set-partition-statistics',
    statistics: decodePartitionStatisticsFile(source['partition-statistics'], `${at}.partition-statistics`),
  }),
  'remove-partition-statistics': (source, at) => ({
    action: 'remove-partition-statistics',
    snapshotId: int64(source['snapshot-id'], `${at}.snapshot-id`),
  }),
  'remove-partition-specs': (source, at) => ({
    action: 'remove-partition-specs',
    specIds: array(int32)(source['spec-ids'], `${at}.spec-ids`),
  }),
  'remove-schemas': (source, at) => ({ action: 'remove-schemas', schemaIds: array(int32)(source['schema-ids'], `${at}.schema-ids`) }),
  'add-encryption-key': (source, at) => ({
    action: 'add-encryption-key',
    key: decodeEncryptedKey(source['encryption-key'], `${at}.encryption-key`),
  }),
  'remove-encryption-key': (source, at) => ({ action: 'remove-encryption-key', keyId: string(source['key-id'], `${at}.key-id`) }),
}

export const tableUpdateActions = Object.keys(decoders) as readonly TableUpdate['action'][]

/** An unknown update is refused: leaving it out would lose a change that the client believes in. */
export const decodeTableUpdate: Decoder<TableUpdate> = (value, at) => {
  const source = asObject(value, at)
  const action = string(source['action'], `${at}.action`)
  if (!isTableUpdateAction(action)) throw badRequest(`Cannot convert metadata update to json. Unrecognized action: ${action}`)
  return decoders[action](source, at)
}

function isTableUpdateAction(action: string): action is TableUpdate['action'] {
  return Object.hasOwn(decoders, action)
}

const decodeSnapshotId = object({ 'snapshot-id': optional(int64) })

function decodeStatistics(source: JsonObject, at: string): StatisticsFile {
  const statistics = decodeStatisticsFile(source['statistics'], `${at}.statistics`)
  const redundantId = decodeSnapshotId(source, at)['snapshot-id']
  if (redundantId !== undefined && redundantId !== statistics['snapshot-id']) {
    throw badRequest(`snapshot-id ${redundantId} does not match statistics.snapshot-id ${statistics['snapshot-id']}`)
  }
  return statistics
}

import { badRequest } from '../errors.ts'
import { anyJson, array, boolean, int64, object, optional, string, withDefault, type Decoder, type ObjectOf } from '../json/decode.ts'
import type { Int64, Json } from '../json/json.ts'
import type { Schema } from '../spec/schema.ts'
import type { Snapshot } from '../spec/snapshot.ts'
import { currentSchema, type TableMetadata } from '../spec/table-metadata.ts'
import { visitFields } from '../spec/types.ts'
import { matchesAll, readFilter, type Filter } from './expression.ts'
import { sourcedFilter, type SourcedFilter } from './residual.ts'

const shape = {
  'snapshot-id': optional(int64),
  select: optional(array(string)),
  filter: optional(anyJson),
  'min-rows-requested': optional(int64),
  'case-sensitive': withDefault(boolean, true),
  'use-snapshot-schema': withDefault(boolean, false),
  'start-snapshot-id': optional(int64),
  'end-snapshot-id': optional(int64),
  'stats-fields': optional(array(string)),
} as const

/** Specification: `PlanTableScanRequest`. */
export type ScanRequest = ObjectOf<typeof shape>

const decodeShape = object(shape)

export const decodeScanRequest: Decoder<ScanRequest> = (value, at) => {
  const request = decodeShape(value, at)
  const isIncremental = request['start-snapshot-id'] !== undefined || request['end-snapshot-id'] !== undefined
  if (isIncremental && request['snapshot-id'] !== undefined) throw badRequest('Invalid scan: both snapshot-id and start-snapshot-id or end-snapshot-id')
  if (request['start-snapshot-id'] !== undefined && request['end-snapshot-id'] === undefined) throw badRequest('Invalid scan: start-snapshot-id without end-snapshot-id')
  return request
}

/** The request with its snapshot named, so that it means the same whatever is committed later. */
export function pinned(request: ScanRequest, metadata: TableMetadata): ScanRequest {
  if (request['snapshot-id'] !== undefined || request['end-snapshot-id'] !== undefined) return request
  const currentId = metadata['current-snapshot-id']
  return currentId === undefined ? request : { ...request, 'snapshot-id': currentId }
}

/** A request understood: against which schema, with which filter, over which snapshots. */
export interface Scan {
  readonly schema: Schema
  readonly filter: Filter
  /** As the client wrote it, for what is left of it for each file; undefined: it wrote none. */
  readonly sourced: SourcedFilter | undefined
  /** So many rows are enough for the client; undefined: it wants all. */
  readonly minRows: Int64 | undefined
  readonly caseSensitive: boolean
  /** Columns whose statistics are sent. */
  readonly statsFieldIds: ReadonlySet<number>
  readonly snapshots: ScanSnapshots
}

export type ScanSnapshots =
  | { readonly kind: 'none' }
  | { readonly kind: 'pointInTime'; readonly snapshot: Snapshot }
  /** The files that these snapshots appended. */
  | { readonly kind: 'incremental'; readonly snapshots: readonly Snapshot[] }

/** `BadRequest` for a snapshot, a column or a filter that the table does not have. */
export function understand(request: ScanRequest, metadata: TableMetadata): Scan {
  const snapshots = snapshotsOf(request, metadata)
  const schema = schemaOf(request, metadata, snapshots)
  const caseSensitive = request['case-sensitive']
  const scope = { schema, caseSensitive }
  const filter = request.filter === undefined ? matchesAll : readFilter(request.filter, scope)
  const sourced = request.filter === undefined ? undefined : sourcedFilter(request.filter, scope)
  const minRows = request['min-rows-requested']
  if (minRows !== undefined && minRows < 0) throw badRequest(`Invalid scan: min-rows-requested is negative: ${minRows}`)
  fieldIds(request.select ?? [], schema, caseSensitive)
  return { schema, filter, sourced, minRows, caseSensitive, statsFieldIds: fieldIds(request['stats-fields'] ?? [], schema, caseSensitive), snapshots }
}

function snapshotsOf(request: ScanRequest, metadata: TableMetadata): ScanSnapshots {
  const endId = request['end-snapshot-id']
  if (endId !== undefined) return { kind: 'incremental', snapshots: appendsBetween(request['start-snapshot-id'], endId, metadata) }
  const id = request['snapshot-id'] ?? metadata['current-snapshot-id']
  return id === undefined ? { kind: 'none' } : { kind: 'pointInTime', snapshot: snapshotOf(id, metadata) }
}

function snapshotOf(id: Int64, metadata: TableMetadata): Snapshot {
  const found = metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id)
  if (found === undefined) throw badRequest(`Cannot find snapshot with ID ${id}`)
  return found
}

/** The appends among the ancestors of `endId`, up to and without `startId`. */
function appendsBetween(startId: Int64 | undefined, endId: Int64, metadata: TableMetadata): readonly Snapshot[] {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot]))
  const appends: Snapshot[] = []
  let current: Snapshot | undefined = snapshotOf(endId, metadata)
  while (current !== undefined && current['snapshot-id'] !== startId) {
    if (current.summary?.['operation'] === 'append') appends.push(current)
    const parentId: Int64 | undefined = current['parent-snapshot-id']
    current = parentId === undefined ? undefined : byId.get(parentId)
  }
  if (startId !== undefined && current === undefined) throw badRequest(`Starting snapshot ${startId} is not an ancestor of end snapshot ${endId}`)
  return appends.reverse()
}

function schemaOf(request: ScanRequest, metadata: TableMetadata, snapshots: ScanSnapshots): Schema {
  const current = currentSchema(metadata)
  if (!request['use-snapshot-schema'] || snapshots.kind !== 'pointInTime') return current
  const schemaId = snapshots.snapshot['schema-id']
  return metadata.schemas.find((schema) => schema['schema-id'] === schemaId) ?? current
}

function fieldIds(names: readonly string[], schema: Schema, caseSensitive: boolean): ReadonlySet<number> {
  const spelled = (name: string): string => (caseSensitive ? name : name.toLowerCase())
  const byName = new Map([...visitFields(schema.fields)].map((field) => [spelled(field.name), field.id]))
  return new Set(
    names.map((name) => {
      const id = byName.get(spelled(name))
      if (id === undefined) throw badRequest(`Cannot find field '${name}' in the table's schema`)
      return id
    }),
  )
}

/** As it is kept with a plan. */
export function scanRequestJson(request: ScanRequest): Json {
  return request as unknown as Json
}

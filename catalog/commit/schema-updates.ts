import { validationError } from '../errors.ts'
import {
  bindPartitionSpec, checkNewPartitionSpec, compatibleSpecs, hasSequentialIds, highestPartitionId, type UnboundPartitionSpec,
} from '../spec/partition-spec.ts'
import { checkSchemaCompatibility, highestFieldId, sameSchema, type Schema } from '../spec/schema.ts'
import { checkSortOrder, sameOrder, unsorted, type SortOrder } from '../spec/sort-order.ts'
import type { TableDraft } from './table-draft.ts'

/** Updates of schemas, partition specs and sort orders. `-1` chooses the one that was added last. */
export const lastAdded = -1

export function addSchema(draft: TableDraft, schema: Schema, lastColumnId: number | undefined): void {
  const { metadata } = draft
  const columnId = Math.max(metadata['last-column-id'], lastColumnId ?? 0, highestFieldId(schema))
  checkSchemaCompatibility(schema, metadata['format-version'])
  const known = metadata.schemas.find((candidate) => sameSchema(candidate, schema))
  if (known !== undefined) {
    draft.lastAddedSchemaId = known['schema-id']
    if (columnId === metadata['last-column-id']) return
  } else {
    const schemaId = metadata.schemas.reduce((highest, candidate) => Math.max(highest, candidate['schema-id']), -1) + 1
    metadata.schemas = [...metadata.schemas, { ...schema, 'schema-id': schemaId }]
    draft.lastAddedSchemaId = schemaId
  }
  metadata['last-column-id'] = columnId
  draft.changed = true
}

export function setCurrentSchema(draft: TableDraft, requestedId: number): void {
  const { metadata } = draft
  const schemaId = requestedId === lastAdded ? draft.lastAddedSchemaId : requestedId
  if (schemaId === undefined) throw validationError('Cannot set last added schema: no schema has been added')
  if (schemaId === metadata['current-schema-id']) return
  if (!metadata.schemas.some((schema) => schema['schema-id'] === schemaId)) {
    throw validationError(`Cannot set current schema to unknown schema: ${schemaId}`)
  }
  metadata['current-schema-id'] = schemaId
  draft.changed = true
}

export function removeSchemas(draft: TableDraft, schemaIds: readonly number[]): void {
  const { metadata } = draft
  if (schemaIds.includes(metadata['current-schema-id'])) throw validationError('Cannot remove the current schema')
  const kept = metadata.schemas.filter((schema) => !schemaIds.includes(schema['schema-id']))
  if (kept.length === metadata.schemas.length) return
  metadata.schemas = kept
  draft.changed = true
}

export function addPartitionSpec(draft: TableDraft, requested: UnboundPartitionSpec): void {
  const { metadata } = draft
  const schema = schemaOf(draft)
  const known = metadata['partition-specs'].find((candidate) => compatibleSpecs(requested, candidate))
  if (known !== undefined) {
    draft.lastAddedSpecId = known['spec-id']
    return
  }
  const specId = metadata['partition-specs'].reduce((highest, candidate) => Math.max(highest, candidate['spec-id']), -1) + 1
  const spec = { ...bindPartitionSpec(requested, metadata['last-partition-id']), 'spec-id': specId }
  checkNewPartitionSpec(spec, schema)
  if (metadata['format-version'] === 1 && !hasSequentialIds(spec)) {
    throw validationError('Spec does not use sequential IDs that are required in v1')
  }
  metadata['partition-specs'] = [...metadata['partition-specs'], spec]
  metadata['last-partition-id'] = Math.max(metadata['last-partition-id'], highestPartitionId(spec))
  draft.lastAddedSpecId = specId
  draft.changed = true
}

export function setDefaultSpec(draft: TableDraft, requestedId: number): void {
  const { metadata } = draft
  const specId = requestedId === lastAdded ? draft.lastAddedSpecId : requestedId
  if (specId === undefined) throw validationError('Cannot set last added spec: no spec has been added')
  if (specId === metadata['default-spec-id']) return
  if (!metadata['partition-specs'].some((spec) => spec['spec-id'] === specId)) {
    throw validationError(`Cannot set default partition spec to unknown spec: ${specId}`)
  }
  metadata['default-spec-id'] = specId
  draft.changed = true
}

export function removePartitionSpecs(draft: TableDraft, specIds: readonly number[]): void {
  const { metadata } = draft
  if (specIds.includes(metadata['default-spec-id'])) throw validationError('Cannot remove the default partition spec')
  const kept = metadata['partition-specs'].filter((spec) => !specIds.includes(spec['spec-id']))
  if (kept.length === metadata['partition-specs'].length) return
  metadata['partition-specs'] = kept
  draft.changed = true
}

export function addSortOrder(draft: TableDraft, requested: SortOrder): void {
  const { metadata } = draft
  const schema = schemaOf(draft)
  const order = requested.fields.length === 0 ? unsorted : requested
  const known = metadata['sort-orders'].find((candidate) => sameOrder(candidate, order))
  if (known !== undefined) {
    draft.lastAddedOrderId = known['order-id']
    return
  }
  const orderId = order.fields.length === 0
    ? 0
    : metadata['sort-orders'].reduce((highest, candidate) => Math.max(highest, candidate['order-id']), 0) + 1
  const added = { ...order, 'order-id': orderId }
  checkSortOrder(added, schema)
  metadata['sort-orders'] = [...metadata['sort-orders'], added]
  draft.lastAddedOrderId = orderId
  draft.changed = true
}

export function setDefaultSortOrder(draft: TableDraft, requestedId: number): void {
  const { metadata } = draft
  const orderId = requestedId === lastAdded ? draft.lastAddedOrderId : requestedId
  if (orderId === undefined) throw validationError('Cannot set last added sort order: no sort order has been added')
  if (orderId === metadata['default-sort-order-id']) return
  if (!metadata['sort-orders'].some((order) => order['order-id'] === orderId)) {
    throw validationError(`Cannot set default sort order to unknown sort order: ${orderId}`)
  }
  metadata['default-sort-order-id'] = orderId
  draft.changed = true
}

/** The schema that new specs and orders refer to: the current one, or in a new table the last added. */
function schemaOf({ metadata, lastAddedSchemaId }: TableDraft): Schema {
  const schema =
    metadata.schemas.find((candidate) => candidate['schema-id'] === metadata['current-schema-id']) ??
    metadata.schemas.find((candidate) => candidate['schema-id'] === lastAddedSchemaId)
  if (schema === undefined) throw validationError('Cannot add a partition spec or a sort order before a schema')
  return schema
}

import { validationError } from '../errors.ts'
import { checkNewPartitionSpec, lastUnassignedPartitionId, type PartitionSpec, type UnboundPartitionSpec } from './partition-spec.ts'
import { checkSchemaCompatibility, freshSchema, type Schema } from './schema.ts'
import { checkSortOrder, unsorted, type SortOrder } from './sort-order.ts'
import type { FormatVersion, Properties, TableMetadata } from './table-metadata.ts'

/** Properties that instruct the catalog and are never stored. */
const reservedProperties = [
  'format-version', 'uuid', 'snapshot-count', 'current-snapshot-id', 'current-snapshot-summary', 'current-snapshot-timestamp-ms',
  'current-schema', 'default-partition-spec', 'default-sort-order',
]

export interface NewTable {
  readonly uuid: string
  readonly location: string
  readonly schema: Schema
  readonly spec: UnboundPartitionSpec | undefined
  readonly writeOrder: SortOrder | undefined
  readonly properties: Properties
  readonly nowMs: number
}

/** The metadata of a table that is being created, under fresh column and partition field ids, as the reference does. */
export function newTableMetadata(table: NewTable): TableMetadata {
  const formatVersion = requestedFormatVersion(table.properties)
  const { schema, renamed, lastColumnId } = freshSchema(table.schema)
  const rename = (id: number): number => renamed.get(id) ?? id
  const spec: PartitionSpec = {
    'spec-id': 0,
    fields: (table.spec?.fields ?? []).map((field, index) => ({
      'source-id': rename(field['source-id']),
      'field-id': lastUnassignedPartitionId + 1 + index,
      name: field.name,
      transform: field.transform,
    })),
  }
  const requested = table.writeOrder?.fields ?? []
  const order: SortOrder = requested.length === 0
    ? unsorted
    : { 'order-id': 1, fields: requested.map((field) => ({ ...field, 'source-id': rename(field['source-id']) })) }
  checkSchemaCompatibility(schema, formatVersion)
  checkNewPartitionSpec(spec, schema)
  checkSortOrder(order, schema)
  return {
    'format-version': formatVersion,
    'table-uuid': table.uuid,
    location: table.location,
    'last-sequence-number': 0,
    'last-updated-ms': table.nowMs,
    'last-column-id': lastColumnId,
    'current-schema-id': 0,
    schemas: [schema],
    'default-spec-id': 0,
    'partition-specs': [spec],
    'last-partition-id': lastUnassignedPartitionId + spec.fields.length,
    'default-sort-order-id': order['order-id'],
    'sort-orders': [order],
    properties: storedProperties(table.properties),
    'current-snapshot-id': undefined,
    'next-row-id': 0,
    'encryption-keys': [],
    refs: {},
    snapshots: [],
    statistics: [],
    'partition-statistics': [],
    'snapshot-log': [],
    'metadata-log': [],
  }
}

export function requestedFormatVersion(properties: Properties): FormatVersion {
  const requested = properties['format-version'] ?? '2'
  switch (requested) {
    case '1':
      return 1
    case '2':
      return 2
    case '3':
      return 3
    default:
      throw validationError(`Unsupported format version: v${requested} (supported: v1 to v3)`)
  }
}

/** What is kept of the requested properties, and the reference's default for new tables. */
function storedProperties(properties: Properties): Properties {
  const stored: Record<string, string> = Object.create(null) as Record<string, string>
  stored['write.parquet.compression-codec'] = 'zstd'
  for (const [name, value] of Object.entries(properties)) if (!reservedProperties.includes(name)) stored[name] = value
  return stored
}

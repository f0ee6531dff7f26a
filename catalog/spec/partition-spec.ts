import { validationError } from '../errors.ts'
import { array, int32, object, optional, string, withDefault, type Decoder } from '../json/decode.ts'
import { fieldsById, type Schema } from './schema.ts'
import { canTransform, decodeTransform, type Transform } from './transform.ts'

/** https://iceberg.apache.org/spec/#partition-specs */
export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly PartitionField[]
}

export interface PartitionField {
  readonly 'source-id': number
  readonly 'field-id': number
  readonly name: string
  readonly transform: Transform
}

/** As a request carries it: ids may be missing, the table assigns them. */
export interface UnboundPartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly UnboundPartitionField[]
}

export interface UnboundPartitionField {
  readonly 'source-id': number
  readonly 'field-id'?: number
  readonly name: string
  readonly transform: Transform
}

/** Partition field ids start above this, and so does a table without any. */
export const lastUnassignedPartitionId = 999

export const decodePartitionFields: Decoder<readonly UnboundPartitionField[]> = array(
  object({ 'source-id': int32, 'field-id': optional(int32), name: string, transform: decodeTransform }),
)

export const decodePartitionSpec: Decoder<UnboundPartitionSpec> = object({
  'spec-id': withDefault(int32, 0),
  fields: decodePartitionFields,
})

export function isUnpartitioned(spec: { readonly fields: readonly unknown[] }): boolean {
  return spec.fields.length === 0
}

/** Gives the fields without an id the next ones after `lastPartitionId`. */
export function bindPartitionSpec(spec: UnboundPartitionSpec, lastPartitionId: number): PartitionSpec {
  let last = lastPartitionId
  for (const field of spec.fields) last = Math.max(last, field['field-id'] ?? 0)
  return {
    'spec-id': spec['spec-id'],
    fields: spec.fields.map((field) => ({
      'source-id': field['source-id'],
      'field-id': field['field-id'] ?? ++last,
      name: field.name,
      transform: field.transform,
    })),
  }
}

export function highestPartitionId(spec: PartitionSpec): number {
  return spec.fields.reduce((highest, field) => Math.max(highest, field['field-id']), lastUnassignedPartitionId)
}

export function hasSequentialIds(spec: PartitionSpec): boolean {
  return spec.fields.every((field, index) => field['field-id'] === lastUnassignedPartitionId + 1 + index)
}

/** Every field's source column exists and its type fits the transform. */
export function checkPartitionSpec(spec: PartitionSpec, schema: Schema): void {
  const columns = fieldsById(schema)
  for (const field of spec.fields) {
    if (field.transform === 'void') continue
    const source = columns.get(field['source-id'])
    if (source === undefined) throw validationError(`Cannot find source column for partition field: ${describe(field)}`)
    if (!canTransform(field.transform, source.type)) {
      throw validationError(`Invalid source type ${JSON.stringify(source.type)} for transform: ${field.transform}`)
    }
  }
}

/** What holds of a spec when it is added: ids and names do not repeat, and no name hides a column. */
export function checkNewPartitionSpec(spec: PartitionSpec, schema: Schema): void {
  checkPartitionSpec(spec, schema)
  const names = new Set<string>()
  const ids = new Set<number>()
  for (const field of spec.fields) {
    if (field.name === '') throw validationError('Cannot use empty or null partition name')
    if (names.has(field.name)) throw validationError(`Cannot use partition name more than once: ${field.name}`)
    if (ids.has(field['field-id'])) throw validationError(`Cannot use partition field id more than once: ${field['field-id']}`)
    names.add(field.name)
    ids.add(field['field-id'])
    const column = schema.fields.find((candidate) => candidate.name === field.name)
    if (column !== undefined && field.transform !== 'void' && !(field.transform === 'identity' && column.id === field['source-id'])) {
      throw validationError(`Cannot create partition from name that exists in schema: ${field.name}`)
    }
  }
}

function describe(field: PartitionField): string {
  return `${field['field-id']}: ${field.name}: ${field.transform}(${field['source-id']})`
}

/** Equal but for the spec id and the field ids. */
export function compatibleSpecs(left: UnboundPartitionSpec, right: PartitionSpec): boolean {
  return (
    left.fields.length === right.fields.length &&
    left.fields.every((field, index) => {
      const other = right.fields[index]
      return (
        other !== undefined &&
        field['source-id'] === other['source-id'] &&
        field.transform === other.transform &&
        field.name === other.name &&
        (field['field-id'] === undefined || field['field-id'] === other['field-id'])
      )
    })
  )
}

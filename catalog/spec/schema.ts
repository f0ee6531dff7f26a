import { validationError } from '../errors.ts'
import { array, asObject, int32, optional, type Decoder } from '../json/decode.ts'
import { stringifyJson } from '../json/stringify.ts'
import { assignFreshIds, decodeFields, minimumFormatVersion, primitiveName, visitFields, type FieldVisit, type StructField, type Type } from './types.ts'

/** A table's or view's schema: a struct with an id. https://iceberg.apache.org/spec/#schemas */
export interface Schema {
  readonly type: 'struct'
  readonly 'schema-id': number
  readonly 'identifier-field-ids'?: readonly number[]
  readonly fields: readonly StructField[]
}

export const decodeSchema: Decoder<Schema> = (value, at) => {
  const source = asObject(value, at)
  if (source['type'] !== undefined && source['type'] !== 'struct') throw validationError(`Cannot create schema, not a struct type: ${at}`)
  const identifierIds = optional(array(int32))(source['identifier-field-ids'], `${at}.identifier-field-ids`)
  const schema: Schema = {
    type: 'struct',
    'schema-id': optional(int32)(source['schema-id'], `${at}.schema-id`) ?? 0,
    ...(identifierIds !== undefined && identifierIds.length > 0 && { 'identifier-field-ids': [...identifierIds].sort((left, right) => left - right) }),
    fields: decodeFields(source['fields'], `${at}.fields`),
  }
  validateSchema(schema)
  return schema
}

/** Ids and names are unique, and identifier fields are what the specification allows. */
export function validateSchema(schema: Schema): void {
  const byId = new Map<number, FieldVisit>()
  const names = new Set<string>()
  for (const field of visitFields(schema.fields)) {
    if (byId.has(field.id)) throw validationError(`Invalid schema: multiple fields for id ${field.id}: ${byId.get(field.id)?.name} and ${field.name}`)
    if (names.has(field.name)) throw validationError(`Invalid schema: multiple fields for name ${field.name}`)
    byId.set(field.id, field)
    names.add(field.name)
  }
  for (const id of schema['identifier-field-ids'] ?? []) validateIdentifierField(id, byId)
}

function validateIdentifierField(id: number, byId: ReadonlyMap<number, FieldVisit>): void {
  const field = byId.get(id)
  if (field === undefined) throw validationError(`Cannot add fieldId ${id} as an identifier field: field does not exist`)
  if (typeof field.type !== 'string') throw validationError(`Cannot add field ${field.name} as an identifier field: not a primitive type field`)
  if (!field.required) throw validationError(`Cannot add field ${field.name} as an identifier field: not a required field`)
  if (['float', 'double'].includes(primitiveName(field.type) ?? '')) {
    throw validationError(`Cannot add field ${field.name} as an identifier field: must not be float or double field`)
  }
  if (field.repeated) throw validationError(`Cannot add field ${field.name} as an identifier field: must not be nested in a list or a map`)
  for (let parent = field.parentId; parent !== undefined; parent = byId.get(parent)?.parentId) {
    if (byId.get(parent)?.required === false) {
      throw validationError(`Cannot add field ${field.name} as an identifier field: must not be nested in an optional field`)
    }
  }
}

/** Types whose values cannot be written as JSON: a column of one has no default but null. */
const typesWithoutDefault = ['unknown', 'variant', 'geometry', 'geography']

/** Types and defaults that the table's format version does not have yet, or no version allows. */
export function checkSchemaCompatibility(schema: Schema, formatVersion: number): void {
  const problems: string[] = []
  for (const field of visitFields(schema.fields)) {
    const primitive = typeof field.type === 'string' ? (primitiveName(field.type) ?? '') : ''
    if (primitive === 'unknown' && field.required) problems.push(`- Invalid field ${field.name}: a column of type unknown must be optional`)
    if (typesWithoutDefault.includes(primitive) && field.hasDefault) problems.push(`- Invalid default for ${field.name}: the default of type ${primitive} must be null`)
    const minimum = minimumFormatVersion(field.type)
    if (minimum > formatVersion) problems.push(`- Invalid type for ${field.name}: ${stringifyJson(field.type as never)} is not supported until v${minimum}`)
    if (field.initialDefault !== undefined && formatVersion < 3) {
      problems.push(`- Invalid initial default for ${field.name}: non-null default (${stringifyJson(field.initialDefault)}) is not supported until v3`)
    }
  }
  if (problems.length > 0) throw validationError(`Invalid schema for v${formatVersion}:\n${problems.join('\n')}`)
}

export function highestFieldId(schema: Schema): number {
  let highest = 0
  for (const field of visitFields(schema.fields)) highest = Math.max(highest, field.id)
  return highest
}

/** Equal but for the schema id. */
export function sameSchema(left: Schema, right: Schema): boolean {
  return (
    stringifyJson(left['identifier-field-ids'] ?? []) === stringifyJson(right['identifier-field-ids'] ?? []) &&
    stringifyJson(left.fields as never) === stringifyJson(right.fields as never)
  )
}

/** Every field by its id. */
export function fieldsById(schema: Schema): Map<number, FieldVisit> {
  return new Map(visitFields(schema.fields).map((field) => [field.id, field]))
}

export function typeOfField(schema: Schema, id: number): Type | undefined {
  for (const field of visitFields(schema.fields)) if (field.id === id) return field.type
  return undefined
}

/** A new table's schema: the requested one under fresh ids from 1, and the map of old ids to new. */
export function freshSchema(schema: Schema): { readonly schema: Schema; readonly renamed: ReadonlyMap<number, number>; readonly lastColumnId: number } {
  let lastColumnId = 0
  const renamed = new Map<number, number>()
  const fields = assignFreshIds(schema.fields, () => ++lastColumnId, renamed)
  const identifierIds = schema['identifier-field-ids']?.map((id) => renamed.get(id) ?? id).sort((left, right) => left - right)
  return {
    schema: { type: 'struct', 'schema-id': 0, ...(identifierIds !== undefined && { 'identifier-field-ids': identifierIds }), fields },
    renamed,
    lastColumnId,
  }
}

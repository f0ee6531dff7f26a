import { validationError } from '../errors.ts'
import { anyJson, asObject, boolean, int32, optional, string, type Decoder } from '../json/decode.ts'
import type { Json } from '../json/json.ts'

/** Iceberg's types in their JSON form: https://iceberg.apache.org/spec/#appendix-c-json-serialization */
export type Type = PrimitiveType | StructType | ListType | MapType

/** `long`, `decimal(9, 2)`, `fixed[16]`, `variant`, `geometry(srid:3857)`, … */
export type PrimitiveType = string

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly StructField[]
}

export interface StructField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: Type
  readonly doc?: string
  readonly 'initial-default'?: Json
  readonly 'write-default'?: Json
}

export interface ListType {
  readonly type: 'list'
  readonly 'element-id': number
  readonly element: Type
  readonly 'element-required': boolean
}

export interface MapType {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: Type
  readonly 'value-id': number
  readonly value: Type
  readonly 'value-required': boolean
}

/** The primitive types by name, with the format version that brought them. */
const primitiveVersions: Readonly<Record<string, number>> = {
  boolean: 1, int: 1, long: 1, float: 1, double: 1, date: 1, time: 1, timestamp: 1, timestamptz: 1,
  string: 1, uuid: 1, binary: 1, fixed: 1, decimal: 1,
  timestamp_ns: 3, timestamptz_ns: 3, unknown: 3, variant: 3, geometry: 3, geography: 3,
}

const primitivePattern = /^(?:(fixed)\[\s*(\d+)\s*\]|(decimal)\(\s*(\d+)\s*,\s*(\d+)\s*\)|(geometry|geography)(?:\s*\(.*\))?|([a-z_]+))$/

/** `fixed[16]` -> `fixed`; undefined when it is no primitive type at all. */
export function primitiveName(type: PrimitiveType): string | undefined {
  const match = primitivePattern.exec(type)
  const name = match?.[1] ?? match?.[3] ?? match?.[6] ?? match?.[7]
  if (name === undefined || !Object.hasOwn(primitiveVersions, name)) return undefined
  if (match?.[7] === 'fixed' || match?.[7] === 'decimal') return undefined
  if (match?.[3] !== undefined && Number(match[4]) > 38) return undefined
  return name
}

export const decodeType: Decoder<Type> = (value, at) => {
  if (typeof value === 'string') {
    const type = value.toLowerCase()
    if (primitiveName(type) === undefined) throw validationError(`Cannot parse type string to primitive: ${value}`)
    return type.startsWith('geo') ? value : type
  }
  const source = asObject(value, at)
  switch (source['type']) {
    case 'struct':
      return decodeStruct(source, at)
    case 'list':
      return {
        type: 'list',
        'element-id': int32(source['element-id'], `${at}.element-id`),
        element: decodeType(source['element'], `${at}.element`),
        'element-required': boolean(source['element-required'], `${at}.element-required`),
      }
    case 'map':
      return {
        type: 'map',
        'key-id': int32(source['key-id'], `${at}.key-id`),
        key: decodeType(source['key'], `${at}.key`),
        'value-id': int32(source['value-id'], `${at}.value-id`),
        value: decodeType(source['value'], `${at}.value`),
        'value-required': boolean(source['value-required'], `${at}.value-required`),
      }
    default:
      throw validationError(`Cannot parse type from json: ${at}`)
  }
}

export const decodeFields: Decoder<readonly StructField[]> = (value, at) => {
  if (!Array.isArray(value)) throw validationError(`Cannot parse struct fields from non-array: ${at}`)
  return value.map((field: Json, index) => decodeField(field, `${at}[${index}]`))
}

function decodeStruct(value: Json, at: string): StructType {
  return { type: 'struct', fields: decodeFields(asObject(value, at)['fields'], `${at}.fields`) }
}

const decodeField: Decoder<StructField> = (value, at) => {
  const source = asObject(value, at)
  const doc = optional(string)(source['doc'], `${at}.doc`)
  const initialDefault = optional(anyJson)(source['initial-default'], `${at}.initial-default`)
  const writeDefault = optional(anyJson)(source['write-default'], `${at}.write-default`)
  return {
    id: int32(source['id'], `${at}.id`),
    name: string(source['name'], `${at}.name`),
    required: boolean(source['required'], `${at}.required`),
    type: decodeType(source['type'], `${at}.type`),
    ...(doc !== undefined && { doc }),
    ...(initialDefault !== undefined && { 'initial-default': initialDefault }),
    ...(writeDefault !== undefined && { 'write-default': writeDefault }),
  }
}

/** A field anywhere in a schema: a column, a struct's member, a list's element, a map's key or value. */
export interface FieldVisit {
  readonly id: number
  /** Full name: `employees.element.name`. */
  readonly name: string
  readonly type: Type
  readonly required: boolean
  readonly initialDefault: Json | undefined
  /** An initial or a write default that is not null. */
  readonly hasDefault: boolean
  readonly parentId: number | undefined
  /** The field lies within a list or a map. */
  readonly repeated: boolean
}

/** All fields of a struct, depth first. */
export function* visitFields(fields: readonly StructField[], path = '', parentId?: number, repeated = false): Generator<FieldVisit> {
  for (const field of fields) {
    const name = path + field.name
    const initialDefault = field['initial-default']
    const hasDefault = initialDefault !== undefined || field['write-default'] !== undefined
    yield { id: field.id, name, type: field.type, required: field.required, initialDefault, hasDefault, parentId, repeated }
    yield* visitType(field.type, name, field.id, repeated)
  }
}

function* visitType(type: Type, name: string, id: number, repeated: boolean): Generator<FieldVisit> {
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      yield* visitFields(type.fields, `${name}.`, id, repeated)
      return
    case 'list':
      yield* visitNested(type['element-id'], `${name}.element`, type.element, type['element-required'], id)
      return
    case 'map':
      yield* visitNested(type['key-id'], `${name}.key`, type.key, true, id)
      yield* visitNested(type['value-id'], `${name}.value`, type.value, type['value-required'], id)
  }
}

function* visitNested(id: number, name: string, type: Type, required: boolean, parentId: number): Generator<FieldVisit> {
  yield { id, name, type, required, initialDefault: undefined, hasDefault: false, parentId, repeated: true }
  yield* visitType(type, name, id, true)
}

/** The format version that a type needs. */
export function minimumFormatVersion(type: Type): number {
  if (typeof type !== 'string') return 1
  return primitiveVersions[primitiveName(type) ?? ''] ?? 1
}

/**
 * The same fields under fresh ids, a struct's own fields before what they contain, as the
 * reference numbers a new table.
 */
export function assignFreshIds(fields: readonly StructField[], nextId: () => number, renamed: Map<number, number>): readonly StructField[] {
  const ids = fields.map((field) => fresh(field.id, nextId, renamed))
  return fields.map((field, index) => ({ ...field, id: ids[index] ?? 0, type: freshType(field.type, nextId, renamed) }))
}

function fresh(oldId: number, nextId: () => number, renamed: Map<number, number>): number {
  const id = nextId()
  renamed.set(oldId, id)
  return id
}

function freshType(type: Type, nextId: () => number, renamed: Map<number, number>): Type {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return { ...type, fields: assignFreshIds(type.fields, nextId, renamed) }
    case 'list': {
      const elementId = fresh(type['element-id'], nextId, renamed)
      return { ...type, 'element-id': elementId, element: freshType(type.element, nextId, renamed) }
    }
    case 'map': {
      const keyId = fresh(type['key-id'], nextId, renamed)
      const valueId = fresh(type['value-id'], nextId, renamed)
      const key = freshType(type.key, nextId, renamed)
      return { ...type, 'key-id': keyId, key, 'value-id': valueId, value: freshType(type.value, nextId, renamed) }
    }
  }
}

import { badRequest } from '../errors.ts'
import { asObject } from '../json/decode.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { visitFields, type PrimitiveType } from '../spec/types.ts'
import type { Schema } from '../spec/schema.ts'
import { decodeTransform, type Transform } from '../spec/transform.ts'
import { valueOfJson, type Value } from './values.ts'

/** A filter bound to a schema, without `not`. `unknown` is what cannot be judged here: it may match anything. */
export type Filter =
  | { readonly kind: 'true' | 'false' | 'unknown' }
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'test'; readonly op: TestOp; readonly fieldId: number; readonly type: PrimitiveType; readonly transform: Transform; readonly values: readonly Value[] }

export type TestOp = keyof typeof negations

export const negations = {
  'is-null': 'not-null',
  'not-null': 'is-null',
  'is-nan': 'not-nan',
  'not-nan': 'is-nan',
  lt: 'gt-eq',
  'lt-eq': 'gt',
  gt: 'lt-eq',
  'gt-eq': 'lt',
  eq: 'not-eq',
  'not-eq': 'eq',
  in: 'not-in',
  'not-in': 'in',
  'starts-with': 'not-starts-with',
  'not-starts-with': 'starts-with',
} as const

export const matchesAll: Filter = { kind: 'true' }

export interface FilterScope {
  readonly schema: Schema
  readonly caseSensitive: boolean
}

/**
 * Reads a filter in the specification's present form (`child`, `left`, `right`, bare booleans,
 * literal objects) and in the older one (`term`, `value`, transform terms). `BadRequest` for what is
 * neither, or names a column that is not there.
 */
export function readFilter(json: Json, scope: FilterScope): Filter {
  if (typeof json === 'boolean') return { kind: json ? 'true' : 'false' }
  const source = asObject(json, 'filter')
  const type = source['type']
  switch (type) {
    case 'true':
    case 'false':
      return { kind: type }
    case 'and':
    case 'or':
      return { kind: type, left: readFilter(source['left'] ?? null, scope), right: readFilter(source['right'] ?? null, scope) }
    case 'not':
      return negate(readFilter(source['child'] ?? null, scope))
    default:
      if (typeof type === 'string' && isTestOp(type)) return readTest(type, source, scope)
      throw badRequest(`Invalid filter: unknown expression type ${JSON.stringify(type ?? null)}`)
  }
}

function isTestOp(type: string): type is TestOp {
  return Object.hasOwn(negations, type)
}

/** The filter that holds of the rows of which this one is false. */
export function negate(filter: Filter): Filter {
  switch (filter.kind) {
    case 'true':
      return { kind: 'false' }
    case 'false':
      return { kind: 'true' }
    case 'and':
    case 'or':
      return { kind: filter.kind === 'and' ? 'or' : 'and', left: negate(filter.left), right: negate(filter.right) }
    case 'test':
      return { ...filter, op: negations[filter.op] }
    case 'unknown':
      return filter
  }
}

function readTest(requested: TestOp, source: JsonObject, scope: FilterScope): Filter {
  const { op, operand, literals } = readOperands(requested, source)
  const term = readTerm(operand, scope)
  if (term === undefined || literals === undefined) return { kind: 'unknown' }
  // A transformed term is compared with the transform's result, an integer but for identity and truncate.
  const type = /^(identity|truncate)/.test(term.transform) ? term.type : 'long'
  const values = literals.map((literal) => valueOfJson(type === 'long' && term.type !== 'long' && typeof literal === 'string' ? 'date' : type, literal))
  return { kind: 'test', op, ...term, values }
}

interface Term {
  readonly fieldId: number
  readonly type: PrimitiveType
  readonly transform: Transform
}

interface Operands {
  readonly op: TestOp
  /** A term of the older form, or an object of the present one. */
  readonly operand: Json
  /** Undefined when it compares with something that is no literal. */
  readonly literals: readonly Json[] | undefined
}

/** What a comparison says from its other side. */
const mirrored: Partial<Record<TestOp, TestOp>> = { lt: 'gt', 'lt-eq': 'gt-eq', gt: 'lt', 'gt-eq': 'lt-eq', eq: 'eq', 'not-eq': 'not-eq' }

function readOperands(op: TestOp, source: JsonObject): Operands {
  const { child, left, term } = source
  const operand = child ?? left
  if (operand === undefined) {
    if (term === undefined) throw badRequest(`Invalid filter: ${op} without an operand`)
    return { op, operand: term, literals: readLiterals(op, source) }
  }
  if (literalOf(operand) === undefined) return { op, operand, literals: readLiterals(op, source) }
  const right = source['right'] ?? null
  const other = mirrored[op]
  const isMirrored = left !== undefined && other !== undefined && typeof right === 'object' && right !== null && literalOf(right) === undefined
  return isMirrored ? { op: other, operand: right, literals: allLiterals([left]) } : { op, operand: literalExpression, literals: undefined }
}

/** A test of a literal alone: it may hold. */
const literalExpression: Json = { type: 'literal' }

/** A column, or a transform of one; undefined for any other value expression. A bare string is a column in the older form alone. */
function readTerm(json: Json, scope: FilterScope): Term | undefined {
  if (typeof json === 'string') return column(json, scope)
  const source = asObject(json, 'term')
  switch (source['type']) {
    case 'reference':
      if (typeof source['id'] === 'number') return columnById(source['id'], scope)
      return column(textOf(source['name'] ?? source['term']), scope)
    case 'transform': {
      const term = readTerm(source['term'] ?? null, scope)
      return term === undefined ? undefined : { ...term, transform: decodeTransform(source['transform'], 'transform') }
    }
    case 'apply':
    case 'literal':
      return undefined
    default:
      throw badRequest('Invalid filter: not a term')
  }
}

function textOf(json: Json | undefined): string {
  if (typeof json !== 'string') throw badRequest('Invalid filter: a reference has a name or an id')
  return json
}

function column(name: string, { schema, caseSensitive }: FilterScope): Term | undefined {
  const wanted = caseSensitive ? name : name.toLowerCase()
  for (const field of visitFields(schema.fields)) {
    if ((caseSensitive ? field.name : field.name.toLowerCase()) !== wanted) continue
    return typeof field.type === 'string' && !field.repeated ? { fieldId: field.id, type: field.type, transform: 'identity' } : undefined
  }
  throw badRequest(`Cannot find field '${name}' in the table's schema`)
}

function columnById(id: number, { schema }: FilterScope): Term | undefined {
  for (const field of visitFields(schema.fields)) {
    if (field.id === id) return typeof field.type === 'string' && !field.repeated ? { fieldId: id, type: field.type, transform: 'identity' } : undefined
  }
  throw badRequest(`Cannot find field ${id} in the table's schema`)
}

/** The literals of a test; undefined when it compares with something that is no literal. */
function readLiterals(op: TestOp, source: JsonObject): readonly Json[] | undefined {
  if (op.endsWith('null') || op.endsWith('nan')) return []
  if (op === 'in' || op === 'not-in') {
    const values = source['values']
    if (isList(values)) return allLiterals(values)
    const members = asObject(values, 'values')['values']
    if (!isList(members)) throw badRequest('Invalid filter: values is not a list')
    return allLiterals(members)
  }
  const right = source['right'] ?? source['value']
  if (right === undefined || right === null) throw badRequest(`Invalid filter: ${op} without a value`)
  return allLiterals([right])
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json)
}

function allLiterals(values: readonly Json[]): readonly Json[] | undefined {
  const literals = values.map(literalOf)
  return literals.includes(undefined) ? undefined : (literals as Json[])
}

/** A bare value, or `{"type": "literal", "value": …}`. */
function literalOf(json: Json): Json | undefined {
  if (typeof json !== 'object' || json === null) return json
  const source = asObject(json, 'literal')
  return source['type'] === 'literal' ? source['value'] : undefined
}

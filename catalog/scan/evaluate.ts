import { parseTransform } from '../spec/transform.ts'
import type { PartitionField, PartitionSpec } from '../spec/partition-spec.ts'
import type { Schema } from '../spec/schema.ts'
import { fieldsById } from '../spec/schema.ts'
import type { FieldVisit, PrimitiveType } from '../spec/types.ts'
import { negations, type Filter, type TestOp } from './expression.ts'
import type { ContentFile, ManifestFile, PartitionSummary } from './manifests.ts'
import type { Verdict } from './residual.ts'
import { applyTransform, resultType } from './transforms.ts'
import { compareValues, decodeBound, valueOfAvro, type Value } from './values.ts'

/** What is known of the values of a column (or partition field) in a file or manifest. */
export interface ValueRange {
  readonly mayBeNull: boolean
  readonly mayBeNotNull: boolean
  readonly mayBeNan: boolean
  readonly lower: Value | undefined
  readonly upper: Value | undefined
  /** There is one value, `lower`; bounds are not shortened. */
  readonly exact: boolean
}

/** Schemas never change, and are asked for once for each test of each file. */
const knownColumns = new WeakMap<Schema, ReadonlyMap<number, FieldVisit>>()

function columnsOf(schema: Schema): ReadonlyMap<number, FieldVisit> {
  const known = knownColumns.get(schema) ?? fieldsById(schema)
  knownColumns.set(schema, known)
  return known
}

type Test = Extract<Filter, { kind: 'test' }>

/** Can anything in the ranges satisfy the filter? `rangesOf` gives the tests that a test implies, with what is known of their values. */
function mayMatch(filter: Filter, tests: (test: Test) => readonly ImpliedTest[]): boolean {
  switch (filter.kind) {
    case 'true':
    case 'unknown':
      return true
    case 'false':
      return false
    case 'and':
      return mayMatch(filter.left, tests) && mayMatch(filter.right, tests)
    case 'or':
      return mayMatch(filter.left, tests) || mayMatch(filter.right, tests)
    case 'test':
      return tests(filter).every(({ op, values, range }) => rangeMayMatch(op, values, range))
  }
}

interface ImpliedTest {
  readonly op: TestOp
  readonly values: readonly Value[]
  readonly range: ValueRange
}

export function rangeMayMatch(op: TestOp, values: readonly Value[], range: ValueRange): boolean {
  const { lower, upper } = range
  const [value] = values
  switch (op) {
    case 'is-null':
      return range.mayBeNull
    case 'not-null':
      return range.mayBeNotNull
    case 'is-nan':
      return range.mayBeNan
    case 'not-nan':
      return true
    case 'not-eq':
    case 'not-in':
      return !(range.exact && !range.mayBeNull && lower !== undefined && values.some((candidate) => compareValues(candidate, lower) === 0))
    case 'in':
      return values.some((candidate) => rangeMayMatch('eq', [candidate], range))
    case 'not-starts-with':
      return !(range.exact && !range.mayBeNull && typeof lower === 'string' && typeof value === 'string' && lower.startsWith(value))
    default:
      return value !== undefined && range.mayBeNotNull && compareMayMatch(op, value, lower, upper)
  }
}

function compareMayMatch(op: 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'starts-with', value: Value, lower: Value | undefined, upper: Value | undefined): boolean {
  switch (op) {
    case 'lt':
      return lower === undefined || compareValues(lower, value) < 0
    case 'lt-eq':
      return lower === undefined || compareValues(lower, value) <= 0
    case 'gt':
      return upper === undefined || compareValues(upper, value) > 0
    case 'gt-eq':
      return upper === undefined || compareValues(upper, value) >= 0
    case 'eq':
      return compareMayMatch('lt-eq', value, lower, upper) && compareMayMatch('gt-eq', value, lower, upper)
    case 'starts-with':
      return prefixMayMatch(value, lower, upper)
  }
}

function prefixMayMatch(prefix: Value, lower: Value | undefined, upper: Value | undefined): boolean {
  if (typeof prefix !== 'string') return true
  const start = Buffer.from(prefix)
  const cut = (bound: Value): Buffer => (typeof bound === 'string' ? Buffer.from(bound).subarray(0, start.length) : start)
  return (lower === undefined || Buffer.compare(cut(lower), start) <= 0) && (upper === undefined || Buffer.compare(cut(upper), start) >= 0)
}

// ---- partitions

/** What a test on a column says of a partition field made of it; undefined: nothing. */
function project(test: Test, field: PartitionField): { readonly op: TestOp; readonly values: readonly Value[] } | undefined {
  if (test.fieldId !== field['source-id']) return undefined
  const { op, values } = test
  if (test.transform !== 'identity') return test.transform === field.transform ? { op, values } : undefined
  const { name, width } = parseTransform(field.transform)
  if (name === 'identity') return { op, values }
  if (name === 'void') return undefined
  const transformed = values.map((value) => applyTransform(field.transform, test.type, value))
  if (transformed.includes(undefined)) return undefined
  const results = transformed as readonly Value[]
  switch (op) {
    case 'is-null':
    case 'not-null':
    case 'eq':
    case 'in':
      return { op, values: results }
    case 'lt':
    case 'lt-eq':
      return name === 'bucket' ? undefined : { op: 'lt-eq', values: results }
    case 'gt':
    case 'gt-eq':
      return name === 'bucket' ? undefined : { op: 'gt-eq', values: results }
    case 'starts-with':
      return name === 'truncate' && typeof values[0] === 'string' ? { op: Array.from(values[0]).length < width ? 'starts-with' : 'eq', values: results } : undefined
    default:
      return undefined
  }
}

function partitionTests(test: Test, spec: PartitionSpec, rangeOf: (field: PartitionField, index: number) => ValueRange | undefined): readonly ImpliedTest[] {
  return spec.fields.flatMap((field, index) => {
    const projected = project(test, field)
    const range = projected === undefined ? undefined : rangeOf(field, index)
    return projected === undefined || range === undefined ? [] : [{ ...projected, range }]
  })
}

/** Can any file of the manifest match, as far as its partition summaries tell? */
export function manifestMayMatch(filter: Filter, manifest: ManifestFile, spec: PartitionSpec, schema: Schema): boolean {
  const { partitions } = manifest
  if (partitions === undefined) return true
  const columns = columnsOf(schema)
  const rangeOf = (field: PartitionField, index: number): ValueRange | undefined => {
    const summary = partitions[index]
    const source = columns.get(field['source-id'])?.type
    return summary === undefined || typeof source !== 'string' ? undefined : summaryRange(summary, resultType(field.transform, source))
  }
  return mayMatch(filter, (test) => partitionTests(test, spec, rangeOf))
}

function summaryRange(summary: PartitionSummary, type: PrimitiveType): ValueRange {
  const lower = summary.lower === undefined ? undefined : decodeBound(type, summary.lower)
  const upper = summary.upper === undefined ? undefined : decodeBound(type, summary.upper)
  const mayBeNan = summary.containsNan ?? true
  return { mayBeNull: summary.containsNull, mayBeNotNull: summary.lower !== undefined || summary.upper !== undefined || mayBeNan, mayBeNan, lower, upper, exact: false }
}

// ---- files

/** Can any row of the file match, as far as its partition and its columns' bounds tell? */
export function fileMayMatch(filter: Filter, file: ContentFile, spec: PartitionSpec, schema: Schema): boolean {
  return mayMatch(filter, (test) => fileTests(test, file, spec, schema))
}

function fileTests(test: Test, file: ContentFile, spec: PartitionSpec, schema: Schema): readonly ImpliedTest[] {
  const columns = columnsOf(schema)
  const partition = partitionTests(test, spec, (field) => {
    const source = columns.get(field['source-id'])?.type
    if (typeof source !== 'string' || !file.partition.has(field['field-id'])) return undefined
    return exactRange(valueOfAvro(resultType(field.transform, source), file.partition.get(field['field-id'])))
  })
  return test.transform === 'identity' ? [...partition, { op: test.op, values: test.values, range: columnRange(file, test.fieldId, test.type) }] : partition
}

/** Whether the rows of a file satisfy one test, as far as its partition and its columns' bounds tell. */
export function verdictOf(filter: Filter, file: ContentFile, spec: PartitionSpec, schema: Schema): Verdict {
  if (!fileMayMatch(filter, file, spec, schema)) return 'never'
  if (filter.kind !== 'test') return filter.kind === 'true' ? 'always' : 'unknown'
  if (filter.transform !== 'identity') return 'unknown'
  // A partition field tells of every row only when it holds the column's own value.
  const identityFields = spec.fields.filter((field) => field['source-id'] === filter.fieldId && field.transform === 'identity')
  const tests = fileTests(filter, file, { ...spec, fields: identityFields }, schema)
  return tests.some(({ op, values, range }) => rangeMustMatch(op, values, range)) ? 'always' : 'unknown'
}

/** Whether every value in the range satisfies the test. Rows with null or NaN leave it open but for the tests of these. */
function rangeMustMatch(op: TestOp, values: readonly Value[], range: ValueRange): boolean {
  switch (op) {
    case 'is-null':
      return !range.mayBeNotNull
    case 'not-null':
      return !range.mayBeNull
    case 'is-nan':
      return false
    case 'not-nan':
      return !range.mayBeNan
    default:
      return !range.mayBeNull && !range.mayBeNan && !rangeMayMatch(negations[op], values, range)
  }
}

function exactRange(value: Value | undefined): ValueRange {
  const isNull = value === undefined
  const isNan = typeof value === 'number' && Number.isNaN(value)
  return { mayBeNull: isNull, mayBeNotNull: !isNull, mayBeNan: isNan, lower: isNan ? undefined : value, upper: isNan ? undefined : value, exact: true }
}

function columnRange(file: ContentFile, fieldId: number, type: PrimitiveType): ValueRange {
  const count = file.valueCounts.get(fieldId)
  const nulls = file.nullValueCounts.get(fieldId)
  const nans = file.nanValueCounts.get(fieldId)
  const lower = file.lowerBounds.get(fieldId)
  const upper = file.upperBounds.get(fieldId)
  const isFloat = type === 'float' || type === 'double'
  return {
    mayBeNull: nulls === undefined || nulls > 0,
    mayBeNotNull: count === undefined || nulls === undefined || nulls < count,
    mayBeNan: isFloat && (nans === undefined || nans > 0),
    lower: lower === undefined ? undefined : withoutNan(decodeBound(type, lower)),
    upper: upper === undefined ? undefined : withoutNan(decodeBound(type, upper)),
    exact: false,
  }
}

/** Old writers put NaN into bounds: it bounds nothing. */
function withoutNan(value: Value | undefined): Value | undefined {
  return typeof value === 'number' && Number.isNaN(value) ? undefined : value
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { decodeSchema } from '../spec/schema.ts'
import { fileMayMatch, rangeMayMatch, verdictOf } from './evaluate.ts'
import { readFilter } from './expression.ts'
import type { ContentFile } from './manifests.ts'
import { murmur3 } from './murmur3.ts'
import { residualOf, sourcedFilter } from './residual.ts'
import { applyTransform } from './transforms.ts'
import { compareValues, valueOfJson, valueToJson, type Value } from './values.ts'

/** https://iceberg.apache.org/spec/#appendix-b-32-bit-hash-requirements */
const hashes: readonly (readonly [string, Json, number])[] = [
  ['int', 34, 2017239379],
  ['long', 34, 2017239379],
  ['decimal(9, 2)', '14.20', -500754589],
  ['date', '2017-11-16', -653330422],
  ['time', '22:31:08', -662762989],
  ['timestamp', '2017-11-16T22:31:08', -2047944441],
  ['timestamptz', '2017-11-16T14:31:08-08:00', -2047944441],
  ['timestamp_ns', '2017-11-16T22:31:08.000001001', -1207196810],
  ['string', 'iceberg', 1210000089],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
  ['fixed[4]', '00010203', -188683207],
  ['binary', '00010203', -188683207],
]

describe('transforms', () => {
  test.each(hashes)('bucket of %s %s', (type, json, hash) => {
    expect(applyTransform('bucket[1000]', type, valueOfJson(type, json))).toBe((hash & 0x7fffffff) % 1000)
  })

  test('murmur3 of the empty string', () => {
    expect(murmur3(Buffer.alloc(0))).toBe(0)
  })

  test.each([
    ['truncate[10]', 'int', 1, 0],
    ['truncate[10]', 'int', -1, -10],
    ['truncate[3]', 'string', 'iceberg', 'ice'],
    ['truncate[50]', 'decimal(4, 2)', '10.65', '10.50'],
    ['year', 'date', '1969-12-31', -1],
    ['month', 'timestamp', '1970-02-01T00:00:00', 1],
    ['day', 'timestamptz', '1969-12-31T23:59:59.999999Z', '1969-12-31'],
    ['hour', 'timestamp', '1970-01-01T01:30:00', 1],
  ])('%s of %s %s', (transform, type, json, expected) => {
    const result = applyTransform(transform, type, valueOfJson(type, json))
    expect(result === undefined ? undefined : valueToJson(transform === 'day' ? 'date' : transform.startsWith('truncate') ? type : 'int', result)).toBe(expected)
  })
})

test.each([
  ['timestamp', '2007-12-03T10:15:30.123456'],
  ['timestamptz', '1907-12-03T10:15:30.123456+00:00'],
  ['timestamp_ns', '2007-12-03T10:15:30.123456789'],
  ['time', '22:31:08.123456'],
  ['date', '1969-01-01'],
  ['decimal(10, 4)', '-123.4500'],
  ['uuid', 'eb26bdb1-a1d8-4aa6-990e-da940875492c'],
  ['binary', '78797A'],
])('a value of %s reads back from its JSON', (type, json) => {
  expect(valueToJson(type, valueOfJson(type, json))).toBe(json)
})

const schema = decodeSchema({ type: 'struct', fields: [
  { id: 1, name: 'n', required: false, type: 'int' },
  { id: 2, name: 's', required: false, type: { type: 'struct', fields: [{ id: 3, name: 'Text', required: false, type: 'string' }] } },
] }, '')
const scope = { schema, caseSensitive: true }

describe('filters', () => {
  test('are read in the present and in the older form alike', () => {
    const present = readFilter({ type: 'and', left: true, right: { type: 'eq', left: { type: 'reference', name: 'n' }, right: { type: 'literal', value: 3, 'data-type': 'int' } } }, scope)
    const older = readFilter({ type: 'and', left: { type: 'true' }, right: { type: 'eq', term: 'n', value: 3 } }, scope)
    expect(present).toEqual(older)
    expect(readFilter({ type: 'in', child: { type: 'reference', id: 1 }, values: { type: 'literals', values: [1, 2], 'data-type': 'int' } }, scope)).toEqual(
      readFilter({ type: 'in', term: 'n', values: [1, 2] }, scope),
    )
    expect(readFilter({ type: 'not', child: { type: 'or', left: { type: 'lt', term: 'n', value: 1 }, right: { type: 'is-null', term: 's.Text' } } }, scope)).toMatchObject({
      kind: 'and', left: { op: 'gt-eq' }, right: { op: 'not-null', fieldId: 3 },
    })
    const mirrored = readFilter({ type: 'lt', left: { type: 'literal', value: 3 }, right: { type: 'reference', name: 'n' } }, scope)
    expect(mirrored).toEqual(readFilter({ type: 'gt', term: 'n', value: 3 }, scope))
    expect(readFilter({ type: 'eq', left: 3, right: { type: 'reference', name: 'n' } }, scope)).toEqual(readFilter({ type: 'eq', term: 'n', value: 3 }, scope))
    // In the present form a bare string is a literal.
    expect(readFilter({ type: 'eq', left: 'n', right: 3 }, scope)).toEqual({ kind: 'unknown' })
    expect(readFilter({ type: 'is-null', child: 'n' }, scope)).toEqual({ kind: 'unknown' })
    expect(readFilter({ type: 'starts-with', left: 'n', right: { type: 'reference', name: 'n' } }, scope)).toEqual({ kind: 'unknown' })
    expect(() => readFilter({ type: 'eq' }, scope)).toThrow(CatalogError)
    expect(readFilter({ type: 'eq', left: { type: 'apply', function: 'f', arguments: [] }, right: 1 }, scope)).toEqual({ kind: 'unknown' })
  })

  test('names are found as the request says', () => {
    expect(() => readFilter({ type: 'is-null', term: 's.text' }, scope)).toThrow(CatalogError)
    expect(readFilter({ type: 'is-null', term: 'S.TEXT' }, { schema, caseSensitive: false })).toMatchObject({ fieldId: 3 })
    expect(() => readFilter({ type: 'eq', term: 'n', value: 'x' }, scope)).toThrow(CatalogError)
    expect(() => readFilter({ type: 'resembles', term: 'n', value: 1 }, scope)).toThrow(CatalogError)
  })
})

/** One row of the model: a nullable integer column. */
const aRow = fc.option(fc.integer({ min: -20, max: 20 }), { nil: null })
const aLeaf: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ type: fc.constantFrom('lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'), term: fc.constant('n'), value: fc.integer({ min: -20, max: 20 }) }),
  fc.record({ type: fc.constantFrom('is-null', 'not-null'), term: fc.constant('n') }),
  fc.record({ type: fc.constantFrom('in', 'not-in'), term: fc.constant('n'), values: fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 3 }) }),
)
const aFilter = fc.letrec<{ filter: Json }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    aLeaf,
    fc.record({ type: fc.constantFrom('and', 'or'), left: tie('filter'), right: tie('filter') }),
    fc.record({ type: fc.constant('not'), child: tie('filter') }),
  ),
})).filter

/** What the filter says of one row, by the specification's words: `not-eq` and `not-in` hold of null. */
function holds(json: Json, row: number | null): boolean {
  const filter = json as { readonly type: string; readonly left: Json; readonly right: Json; readonly child: Json; readonly value: number; readonly values: readonly number[] }
  switch (filter.type) {
    case 'and':
      return holds(filter.left, row) && holds(filter.right, row)
    case 'or':
      return holds(filter.left, row) || holds(filter.right, row)
    case 'not':
      return !holds(filter.child, row)
    case 'is-null':
      return row === null
    case 'not-null':
      return row !== null
    case 'not-eq':
      return row !== filter.value
    case 'not-in':
      return row === null || !filter.values.includes(row)
    case 'in':
      return row !== null && filter.values.includes(row)
    default:
      return row !== null && rangeMayMatch(filter.type as 'eq', [filter.value], { mayBeNull: false, mayBeNotNull: true, mayBeNan: false, lower: row, upper: row, exact: true })
  }
}

const bytes = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32LE(value)
  return buffer
}

/** The file that holds these rows of one partition, with its statistics. */
function fileOf(rows: readonly (number | null)[], partition: Value | undefined): ContentFile {
  const numbers = rows.filter((row) => row !== null)
  return {
    content: 'data', path: 'x', specId: 0, partition: new Map([[1000, partition ?? null]]),
    valueCounts: new Map([[1, rows.length]]), nullValueCounts: new Map([[1, rows.length - numbers.length]]), nanValueCounts: new Map(),
    lowerBounds: new Map(numbers.length === 0 ? [] : [[1, bytes(Math.min(...numbers))]]),
    upperBounds: new Map(numbers.length === 0 ? [] : [[1, bytes(Math.max(...numbers))]]),
  } as unknown as ContentFile
}

test('no file with a row that the filter selects is left out, and its residual selects the same rows, whatever it is partitioned by', () => {
  fc.assert(
    fc.property(fc.array(aRow, { minLength: 1, maxLength: 6 }), aFilter, fc.constantFrom('identity', 'bucket[4]', 'truncate[5]'), (rows, filter, transform) => {
      const selected = rows.find((row) => withoutNotOverNull(filter, row))
      fc.pre(selected !== undefined)
      const partitionOf = (row: number | null): Value | undefined => (row === null ? undefined : applyTransform(transform, 'int', row))
      const partition = partitionOf(selected ?? null)
      const inFile = rows.filter((row) => partitionOf(row) === partition)
      const file = fileOf(inFile, partition)
      const spec = { 'spec-id': 0, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'p', transform }] }
      expect(fileMayMatch(readFilter(filter, scope), file, spec, schema)).toBe(true)
      const residual = residualOf(sourcedFilter(filter, scope), (leaf) => verdictOf(leaf, file, spec, schema))
      for (const row of inFile) {
        const isLeft = typeof residual === 'boolean' ? residual : withoutNotOverNull(residual, row)
        expect([residual, row, isLeft]).toEqual([residual, row, withoutNotOverNull(filter, row)])
      }
    }),
    { numRuns: 2000 },
  )
})

/** Engines push `not` down before they plan, so a comparison with null selects nothing under it either. */
function withoutNotOverNull(json: Json, row: number | null, negated = false): boolean {
  const filter = json as { readonly type: string; readonly left: Json; readonly right: Json; readonly child: Json }
  if (filter.type === 'not') return withoutNotOverNull(filter.child, row, !negated)
  if (filter.type === 'and' || filter.type === 'or') {
    const both = [withoutNotOverNull(filter.left, row, negated), withoutNotOverNull(filter.right, row, negated)]
    return (filter.type === 'and') !== negated ? both.every(Boolean) : both.some(Boolean)
  }
  if (negated && row === null && ['lt', 'lt-eq', 'gt', 'gt-eq'].includes(filter.type)) return false
  return holds(json, row) !== negated
}

test('strings compare as their UTF-8 bytes do', () => {
  expect(compareValues('\u{1f600}', '\uffff')).toBeGreaterThan(0)
})

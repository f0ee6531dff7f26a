import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { baseTable } from './table-fixture.ts'
import { checkRequirements, decodeRequirement } from './requirements.ts'

const base = baseTable()

/** Each requirement, once as it holds of the fixture and once as it does not. */
const cases: readonly (readonly [string, Json, Json])[] = [
  ['assert-table-uuid', { uuid: base['table-uuid'].toUpperCase() }, { uuid: '00000000-0000-4000-8000-000000000000' }],
  ['assert-ref-snapshot-id', { ref: 'main', 'snapshot-id': 11 }, { ref: 'main', 'snapshot-id': 12 }],
  ['assert-ref-snapshot-id', { ref: 'new', 'snapshot-id': null }, { ref: 'main', 'snapshot-id': null }],
  ['assert-ref-snapshot-id', { ref: 'audit', 'snapshot-id': 9_123_456_789_012_345_678n }, { ref: 'gone', 'snapshot-id': 11 }],
  ['assert-last-assigned-field-id', { 'last-assigned-field-id': 3 }, { 'last-assigned-field-id': 2 }],
  ['assert-current-schema-id', { 'current-schema-id': 0 }, { 'current-schema-id': 1 }],
  ['assert-last-assigned-partition-id', { 'last-assigned-partition-id': 1000 }, { 'last-assigned-partition-id': 999 }],
  ['assert-default-spec-id', { 'default-spec-id': 0 }, { 'default-spec-id': 1 }],
  ['assert-default-sort-order-id', { 'default-sort-order-id': 0 }, { 'default-sort-order-id': 1 }],
]

function codeOf(run: () => void): string {
  try {
    run()
    return 'none'
  } catch (error) {
    return error instanceof CatalogError ? error.code : String(error)
  }
}

describe('requirements', () => {
  test.each(cases)('%s', (type, holds, fails) => {
    const decode = (members: Json) => decodeRequirement({ type, ...(members as Record<string, Json>) }, '')
    expect(codeOf(() => checkRequirements([decode(holds)], base))).toBe('none')
    expect(codeOf(() => checkRequirements([decode(fails)], base))).toBe('CommitFailed')
  })

  test('assert-create', () => {
    const create = decodeRequirement({ type: 'assert-create' }, '')
    expect(codeOf(() => checkRequirements([create], undefined))).toBe('none')
    expect(codeOf(() => checkRequirements([create], base))).toBe('CommitFailed')
  })

  test('all of the specification are tried', () => {
    expect(new Set([...cases.map(([type]) => type), 'assert-create']).size).toBe(8)
  })

  test('one that is unknown is refused', () => {
    expect(codeOf(() => decodeRequirement({ type: 'assert-weather' }, ''))).toBe('BadRequest')
  })
})

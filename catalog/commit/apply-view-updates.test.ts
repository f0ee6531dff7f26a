import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { parseJson } from '../json/parse.ts'
import { decodeSchema } from '../spec/schema.ts'
import { decodeViewMetadata, decodeViewVersion, stringifyViewMetadata, type ViewMetadata } from '../spec/view-metadata.ts'
import { applyViewUpdates, newViewMetadata } from './apply-view-updates.ts'
import { checkViewRequirements, decodeViewRequirement, decodeViewUpdate, viewUpdateActions } from './view-updates.ts'

const nowMs = 1_700_000_010_000
const uuid = 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3'
const schema = (name: string): Json => ({ type: 'struct', 'schema-id': 0, fields: [{ id: 1, name, required: false, type: 'long' }] })
const sql = (dialect: string, text = 'select 1'): Json => ({ type: 'sql', sql: text, dialect })
const version = (id: number, representations: readonly Json[] = [sql('spark')], schemaId = 0, timestampMs = nowMs - 1000): Json => ({
  'version-id': id, 'schema-id': schemaId, 'timestamp-ms': timestampMs, summary: { engine: 'x' }, 'default-namespace': ['db'], representations,
})
const setCurrent = (id: number): Json => ({ action: 'set-current-view-version', 'view-version-id': id })
const add = (id: number, ...rest: [representations?: readonly Json[], schemaId?: number]): Json => ({ action: 'add-view-version', 'view-version': version(id, ...rest) })

function base(properties: Record<string, string> = { owner: 'ada' }): ViewMetadata {
  return newViewMetadata({ uuid, location: 's3://lake/v', schema: decodeSchema(schema('a'), ''), viewVersion: decodeViewVersion(version(1), ''), properties, nowMs: nowMs - 500 })
}

function apply(updates: readonly Json[], view = base()): ViewMetadata {
  return applyViewUpdates(view, updates.map((update) => decodeViewUpdate(update, 'update')), nowMs)
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'none'
  } catch (error) {
    return error instanceof CatalogError ? error.code : String(error)
  }
}

/** Each update, what it does to the view, and how it is refused. */
const effects: readonly { readonly updates: readonly Json[]; readonly result: Record<string, unknown> }[] = [
  { updates: [{ action: 'assign-uuid', uuid }, { action: 'set-properties', updates: { a: 'b' } }], result: { 'view-uuid': uuid } },
  { updates: [{ action: 'upgrade-format-version', 'format-version': 1 }, { action: 'set-properties', updates: { a: 'b' } }], result: { 'format-version': 1 } },
  { updates: [{ action: 'add-schema', schema: schema('b') }], result: { schemas: [expect.anything(), { ...(schema('b') as object), 'schema-id': 1 }], 'current-version-id': 1 } },
  { updates: [{ action: 'set-location', location: 's3://lake/moved' }], result: { location: 's3://lake/moved' } },
  { updates: [{ action: 'set-properties', updates: { a: 'b' } }], result: { properties: { owner: 'ada', a: 'b' } } },
  { updates: [{ action: 'remove-properties', removals: ['owner', 'none'] }], result: { properties: {} } },
  { updates: [add(2, [sql('spark', 'select 2')])], result: { 'current-version-id': 1, versions: [expect.anything(), expect.objectContaining({ 'version-id': 2 })], 'version-log': [expect.anything()] } },
  {
    updates: [{ action: 'add-schema', schema: schema('b') }, add(7, [sql('spark', 'select 2')], -1), setCurrent(-1)],
    result: { 'current-version-id': 7, 'version-log': [expect.anything(), { 'timestamp-ms': nowMs - 1000, 'version-id': 7 }], versions: [expect.anything(), expect.objectContaining({ 'schema-id': 1 })] },
  },
]

const refusals: readonly (readonly [string, readonly Json[], string])[] = [
  ['another uuid', [{ action: 'assign-uuid', uuid: '00000000-0000-4000-8000-000000000000' }], 'Validation'],
  ['format version 2', [{ action: 'upgrade-format-version', 'format-version': 2 }], 'Validation'],
  ['a schema with a field twice', [{ action: 'add-schema', schema: { type: 'struct', fields: [{ id: 1, name: 'a', required: false, type: 'int' }, { id: 1, name: 'b', required: false, type: 'int' }] } }], 'Validation'],
  ['a location that is none', [{ action: 'set-location', location: 5 }], 'shape'],
  ['properties that are no text', [{ action: 'set-properties', updates: { a: 1 } }], 'shape'],
  ['removals that are no list', [{ action: 'remove-properties', removals: 'owner' }], 'shape'],
  ['a version of an unknown schema', [add(2, [sql('spark', 'x')], 9)], 'Validation'],
  ['a version of the last added schema when none was', [add(2, [sql('spark', 'x')], -1)], 'Validation'],
  ['two texts in one dialect', [add(2, [sql('spark'), sql('SPARK', 'select 2')])], 'IllegalArgument'],
  ['an unknown version', [setCurrent(9)], 'Validation'],
  ['the last added version when none was', [setCurrent(-1)], 'Validation'],
  ['an update of tables', [{ action: 'add-spec', spec: { fields: [] } }], 'BadRequest'],
  ['an unknown update', [{ action: 'fly' }], 'BadRequest'],
]

describe('view updates', () => {
  test('every update has a case here', () => {
    const covered = new Set(effects.flatMap(({ updates }) => updates.map((update) => (update as { action: string }).action)))
    expect([...covered].sort()).toEqual([...viewUpdateActions].sort())
    expect(viewUpdateActions).toHaveLength(8)
  })

  test.each(effects.map((effect) => [effect.updates.map((update) => (update as { action: string }).action).join(' + '), effect] as const))('%s', (_, { updates, result }) => {
    const before = base()
    const after = apply(updates, before)
    expect(after).toMatchObject(result)
    expect(before).toEqual(base())
    expect(decodeViewMetadata(parseJson(stringifyViewMetadata(after)), '')).toEqual(after)
  })

  test.each(refusals)('%s is refused', (_, updates, code) => {
    expect(codeOf(() => apply(updates))).toEqual(code === 'shape' ? expect.stringContaining('JsonShapeError') : code)
  })

  test('nothing to do is the same metadata', () => {
    const view = base()
    expect(apply([{ action: 'set-properties', updates: { owner: 'ada' } }, setCurrent(1), { action: 'add-schema', schema: schema('a') }, add(5)], view)).toBe(view)
  })

  test('a version that is there is not added again, and a taken id is replaced', () => {
    const twice = apply([add(2, [sql('spark', 'select 2')]), add(3, [sql('spark', 'select 2')]), setCurrent(-1)])
    expect(twice.versions.map((each) => each['version-id'])).toEqual([1, 2])
    expect(twice['current-version-id']).toBe(2)
    const taken = apply([add(1, [sql('spark', 'select 3')]), setCurrent(-1)])
    expect(taken['current-version-id']).toBe(2)
  })

  test('a dialect is not lost unless the view allows it', () => {
    const both = apply([add(2, [sql('spark'), sql('trino')]), setCurrent(-1)])
    const drop = [add(3, [sql('trino', 'select 3')]), setCurrent(-1)]
    expect(codeOf(() => apply(drop, both))).toBe('Validation')
    expect(apply([{ action: 'set-properties', updates: { 'replace.drop-dialect.allowed': 'true' } }, ...drop], both)['current-version-id']).toBe(3)
  })

  test('old versions expire, with what the log says of the time before', () => {
    let view = base({ 'version.history.num-entries': '2' })
    for (let id = 2; id <= 5; id++) view = apply([add(id, [sql('spark', `select ${id}`)]), setCurrent(-1)], view)
    expect(view.versions.map((each) => each['version-id'])).toEqual([4, 5])
    expect(view['version-log'].map((each) => each['version-id'])).toEqual([4, 5])
    expect(codeOf(() => apply([{ action: 'set-properties', updates: { 'version.history.num-entries': '0' } }], view))).toBe('Validation')
  })
})

describe('the requirement of views', () => {
  const requirement = (of: string) => [decodeViewRequirement({ type: 'assert-view-uuid', uuid: of }, '')]

  test('holds of its view, in any case of letters, and of no other', () => {
    expect(codeOf(() => checkViewRequirements(requirement(uuid.toUpperCase()), base()))).toBe('none')
    expect(codeOf(() => checkViewRequirements(requirement('00000000-0000-4000-8000-000000000000'), base()))).toBe('CommitFailed')
    expect(codeOf(() => decodeViewRequirement({ type: 'assert-table-uuid', uuid }, ''))).toBe('BadRequest')
  })
})

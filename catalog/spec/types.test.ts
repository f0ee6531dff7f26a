import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import { JsonShapeError } from '../json/decode.ts'
import type { Json } from '../json/json.ts'
import { simpleSchema, testCatalog, type TestCatalog } from '../testing.ts'
import { checkSchemaCompatibility, decodeSchema } from './schema.ts'
import { decodeType } from './types.ts'

const field = (type: Json, more: Record<string, Json> = {}): Json => ({ id: 1, name: 'c', required: false, type, ...more })
const schemaOf = (...fields: readonly Json[]): Json => ({ type: 'struct', 'schema-id': 0, fields: fields as Json[] })

function problem(run: () => unknown): string {
  try {
    run()
    return 'none'
  } catch (error) {
    if (error instanceof CatalogError) return error.code
    return error instanceof JsonShapeError ? 'shape' : String(error)
  }
}

const compatible = (type: Json, version: number, more: Record<string, Json> = {}): string => problem(() => checkSchemaCompatibility(decodeSchema(schemaOf(field(type, more)), ''), version))

const ofVersion1: readonly Json[] = [
  'boolean', 'int', 'long', 'float', 'double', 'date', 'time', 'timestamp', 'timestamptz', 'string', 'uuid', 'binary', 'fixed[16]', 'decimal(9, 2)', 'decimal(38,0)',
  { type: 'struct', fields: [{ id: 2, name: 'x', required: true, type: 'int' }] },
  { type: 'list', 'element-id': 2, element: 'string', 'element-required': true },
  { type: 'map', 'key-id': 2, key: 'string', 'value-id': 3, value: 'double', 'value-required': false },
]
const ofVersion3: readonly Json[] = ['timestamp_ns', 'timestamptz_ns', 'unknown', 'variant', 'geometry', 'geometry(srid:3857)', 'geography', 'geography(srid:4326, spherical)']

describe('types', () => {
  test.each(ofVersion1)('%j is there from the first format version', (type) => {
    for (const version of [1, 2, 3]) expect(compatible(type, version)).toBe('none')
  })

  test.each(ofVersion3)('%j is there from version 3, and not before', (type) => {
    expect([1, 2, 3].map((version) => compatible(type, version))).toEqual(['Validation', 'Validation', 'none'])
  })

  test.each(['integer', 'decimal(39,1)', 'decimal', 'fixed', 'fixed[]', 'fixed[-1]', 'geometry(', 'geometryx', 'timestamp_ms', '', 'struct', 'list', 'constructor', 'toString'])('%j is none', (type) => {
    expect(problem(() => decodeType(type, 'type'))).toBe('Validation')
  })

  test.each([null, 5, true, [], {}, { type: 'tuple' }, { type: 'list' }, { type: 'map', 'key-id': 1 }, { type: 'struct' }] as Json[])('%j is none', (type) => {
    expect(['Validation', 'shape']).toContain(problem(() => decodeType(type, 'type')))
  })

  test('a name keeps its spelling only where it matters', () => {
    expect(decodeType('LONG', '')).toBe('long')
    expect(decodeType('geometry(OGC:CRS84)', '')).toBe('geometry(OGC:CRS84)')
  })
})

describe('defaults', () => {
  test.each([['int', 5], ['string', ''], ['decimal(9, 2)', '1.50'], ['boolean', false], ['date', '2026-01-01']] as [string, Json][])('of %s are there from version 3', (type, value) => {
    expect([2, 3].map((version) => compatible(type, version, { 'initial-default': value, 'write-default': value }))).toEqual(['Validation', 'none'])
  })

  test.each(['unknown', 'variant', 'geometry', 'geography'])('of %s must be null', (type) => {
    expect(compatible(type, 3, { 'initial-default': null, 'write-default': null })).toBe('none')
    expect(compatible(type, 3, { 'write-default': 'x' })).toBe('Validation')
    expect(compatible(type, 3, { 'initial-default': 'x' })).toBe('Validation')
  })

  test('a column of unknown type is optional', () => {
    expect(compatible('unknown', 3, { required: true })).toBe('Validation')
  })
})

describe('tables of version 3', () => {
  const path = { namespace: 'db', table: 't' }
  async function open(version: string, schema: Json = simpleSchema): Promise<TestCatalog> {
    const world = await testCatalog()
    await world.call('createNamespace', { body: { namespace: ['db'] } })
    expect((await world.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema, properties: { 'format-version': version } } })).status).toBe(200)
    return world
  }
  const metadataOf = async (world: TestCatalog): Promise<Record<string, Json>> => (await world.call('loadTable', { path })).body['metadata'] as Record<string, Json>
  const commit = async (world: TestCatalog, ...updates: readonly Json[]) => world.call('updateTable', { path, body: { requirements: [], updates: updates as Json[] } })
  const snapshot = (id: number, more: Record<string, Json>): Json => ({
    action: 'add-snapshot',
    snapshot: { 'snapshot-id': id, 'sequence-number': id, 'timestamp-ms': 1_800_000_000_000 + id, 'manifest-list': 's3://lake/m.avro', summary: { operation: 'append' }, ...more },
  })

  test('have every type, and come back as they were made', async () => {
    const fields = [...ofVersion1.slice(0, 15), ...ofVersion3].map((type, index): Json => ({ id: index + 1, name: `c${index}`, required: false, type }))
    const world = await open('3', schemaOf(...fields))
    const [schema] = (await metadataOf(world))['schemas'] as { readonly fields: readonly Json[] }[]
    expect(schema?.fields).toEqual(fields)
  })

  test('count their rows, on every branch, and refuse stale row ids as conflicts', async () => {
    const world = await open('3')
    expect((await metadataOf(world))['next-row-id']).toBe(0)
    expect((await commit(world, snapshot(1, { 'first-row-id': 0, 'added-rows': 10 }), { action: 'set-snapshot-ref', 'ref-name': 'side', type: 'branch', 'snapshot-id': 1 })).status).toBe(200)
    expect((await metadataOf(world))['next-row-id']).toBe(10)
    const stale = await commit(world, snapshot(2, { 'first-row-id': 9, 'added-rows': 1 }))
    expect([stale.status, stale.errorType]).toEqual([409, 'CommitFailedException'])
    expect((await commit(world, snapshot(2, { 'first-row-id': 10 }))).status).toBe(400)
    expect((await commit(world, snapshot(2, { 'first-row-id': 10, 'added-rows': 9_007_199_254_740_993n }))).status).toBe(200)
    expect((await metadataOf(world))['next-row-id']).toBe(9_007_199_254_741_003n)
  })

  test('are what older ones become, with the first row id 0', async () => {
    const world = await open('2')
    expect((await metadataOf(world))['next-row-id']).toBeUndefined()
    expect((await commit(world, { action: 'upgrade-format-version', 'format-version': 3 })).status).toBe(200)
    expect(await metadataOf(world)).toMatchObject({ 'format-version': 3, 'next-row-id': 0 })
    expect((await commit(world, { action: 'upgrade-format-version', 'format-version': 2 })).status).toBe(400)
  })

  test('keep encryption keys, and the key of each snapshot', async () => {
    const world = await open('3')
    const key = { 'key-id': 'k1', 'encrypted-key-metadata': 'AAAA', 'encrypted-by-id': 'master', properties: { a: 'b' } }
    expect((await commit(world, { action: 'add-encryption-key', 'encryption-key': key }, snapshot(1, { 'first-row-id': 0, 'added-rows': 1, 'key-id': 'k1' }))).status).toBe(200)
    const metadata = await metadataOf(world)
    expect(metadata['encryption-keys']).toEqual([key])
    expect((metadata['snapshots'] as Json[])[0]).toMatchObject({ 'key-id': 'k1' })
    expect((await commit(world, { action: 'set-properties', updates: { 'encryption.key-id': 'master' } })).status).toBe(200)
    expect((await commit(world, { action: 'remove-properties', removals: ['encryption.key-id'] })).status).toBe(400)
  })

  test('add columns with defaults that later schemas keep', async () => {
    const world = await open('3')
    const added = schemaOf(...(simpleSchema.fields as readonly Json[]), { id: 3, name: 'c', required: true, type: 'int', 'initial-default': 7, 'write-default': 8 })
    expect((await commit(world, { action: 'add-schema', schema: added }, { action: 'set-current-schema', 'schema-id': -1 })).status).toBe(200)
    const schemas = (await metadataOf(world))['schemas'] as { readonly fields: readonly Record<string, Json>[] }[]
    expect(schemas.at(-1)?.fields.at(-1)).toMatchObject({ 'initial-default': 7, 'write-default': 8 })
  })
})

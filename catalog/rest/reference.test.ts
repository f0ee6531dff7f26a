import { beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, testCatalog, type TestAnswer, type TestCatalog } from '../testing.ts'

/** What the reference implementation's own tests hold of a REST catalog, asked of this one. */

const ns = { namespace: 'db' }
const at = (table: string): Record<string, string> => ({ ...ns, table })
const sorted = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`).sort()
const version = { 'version-id': 1, 'schema-id': 0, 'timestamp-ms': 1, summary: {}, 'default-namespace': ['db'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }

let store: MemoryCatalogStore
let world: TestCatalog
beforeEach(async () => {
  store = new MemoryCatalogStore(['lake'])
  world = await testCatalog(store)
  await world.call('createNamespace', { body: { namespace: ['db'] } })
})

const createTable = (name: string): Promise<TestAnswer> => world.call('createTable', { path: ns, body: { name, schema: simpleSchema } })
const createView = (name: string): Promise<TestAnswer> => world.call('createView', { path: ns, body: { name, schema: simpleSchema, 'view-version': version, properties: {} } })
const setProperty = (table: string, name: string): Promise<TestAnswer> =>
  world.call('updateTable', { path: at(table), body: { requirements: [], updates: [{ action: 'set-properties', updates: { [name]: 'set' } }] } })
const snapshot = (id: number, parent: number | undefined, branch: string): Json[] => [
  {
    action: 'add-snapshot',
    snapshot: {
      'snapshot-id': id, ...(parent !== undefined && { 'parent-snapshot-id': parent }), 'sequence-number': id, 'timestamp-ms': 1_800_000_000_000 + id,
      'manifest-list': `s3://lake/${id}.avro`, summary: { operation: 'append' },
    },
  },
  { action: 'set-snapshot-ref', 'ref-name': branch, type: 'branch', 'snapshot-id': id },
]

describe.each([
  ['listNamespaces', 'namespaces', async (name: string) => world.call('createNamespace', { body: { namespace: [name] } }), {}, (entry: Json) => (entry as string[])[0], ['db']],
  ['listTables', 'identifiers', createTable, ns, (entry: Json) => (entry as { name: string }).name, []],
  ['listViews', 'identifiers', createView, ns, (entry: Json) => (entry as { name: string }).name, []],
] as const)('%s', (operationId, member, create, path, nameOf, others) => {
  const list = async (query: Record<string, string>): Promise<{ readonly names: readonly (string | undefined)[]; readonly next: string | null }> => {
    const { status, body } = await world.call(operationId, { path, query })
    expect(status).toBe(200)
    return { names: (body[member] as Json[]).map(nameOf), next: body['next-page-token'] as string | null }
  }

  test('gives everything without a token, and pages with one', async () => {
    for (const name of sorted(25, 'n')) await create(name)
    const everything = [...others, ...sorted(25, 'n')].sort()
    expect(await list({})).toEqual({ names: everything, next: null })
    expect(await list({ pageSize: '3' })).toEqual({ names: everything, next: null })
    for (const pageSize of [1, 7, 25, 26, 1000]) {
      const pages: (string | undefined)[] = []
      for (let token: string | null = ''; token !== null; ) {
        const page: Awaited<ReturnType<typeof list>> = await list({ pageToken: token, pageSize: String(pageSize) })
        expect(page.names.length).toBeLessThanOrEqual(pageSize)
        pages.push(...page.names)
        token = page.next
      }
      expect(pages).toEqual(everything)
    }
  })

  test('goes on where it was, whatever was made since', async () => {
    for (const name of ['b', 'd', 'f']) await create(name)
    const first = await list({ pageToken: '', pageSize: '1' })
    for (const name of ['a', 'c', 'g']) await create(name)
    const rest = await list({ pageToken: first.next ?? '', pageSize: '100' })
    expect([...first.names, ...rest.names]).toEqual(['b', 'c', 'd', ...others.map(() => 'db'), 'f', 'g'].sort())
  })

  test.each(['0', '-1', '1.5', 'x'])('refuses pages of %s', async (pageSize) => {
    expect((await world.call(operationId, { path, query: { pageToken: '', pageSize } })).status).toBe(400)
  })

  test('refuses a token that is none of its own', async () => {
    expect((await world.call(operationId, { path, query: { pageToken: 'page-2' } })).status).toBe(400)
  })
})

describe('ETags', () => {
  const load = (table: string, query = {}, ifNoneMatch?: string): Promise<TestAnswer> =>
    world.call('loadTable', { path: at(table), query, headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch } })

  test('come with a table that is made, changed, registered and loaded, and are the same for the same metadata', async () => {
    const created = await createTable('t')
    expect(created.headers['etag']).toBe((await load('t')).headers['etag'])
    const committed = await setProperty('t', 'a')
    expect(committed.headers['etag']).toBe((await load('t')).headers['etag'])
    expect(committed.headers['etag']).not.toBe(created.headers['etag'])
    const registered = await world.call('registerTable', { path: ns, body: { name: 'again', 'metadata-location': committed.body['metadata-location'] as string } })
    expect(registered.headers['etag']).toBe((await load('again')).headers['etag'])
    // Between the two a client might have written another file there.
    expect(registered.headers['etag']).not.toBe(committed.headers['etag'])
  })

  test('tell a client whether what it has is still so, as RFC 9110 reads lists, weak tags and *', async () => {
    await createTable('t')
    const etag = (await load('t')).headers['etag'] ?? ''
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) expect((await load('t', {}, header)).status).toBe(304)
    for (const header of ['"x"', etag.slice(1, -1), '']) expect((await load('t', {}, header)).status).toBe(200)
    await setProperty('t', 'a')
    expect((await load('t', {}, etag)).status).toBe(200)
  })

  test('are of one representation, and of one table: a new one of the same name has another', async () => {
    await createTable('t')
    const [all, refs] = [(await load('t')).headers['etag'] ?? '', (await load('t', { snapshots: 'refs' })).headers['etag'] ?? '']
    expect(all).not.toBe(refs)
    expect((await load('t', { snapshots: 'refs' }, all)).status).toBe(200)
    await world.call('dropTable', { path: at('t') })
    expect((await load('t', {}, all)).status).toBe(404)
    await createTable('t')
    expect((await load('t', {}, all)).status).toBe(200)
  })
})

describe('snapshots=refs', () => {
  test('has the heads of all branches, also of ones that have diverged, and the rest comes with all', async () => {
    await createTable('t')
    const updates = [...snapshot(1, undefined, 'main'), ...snapshot(2, 1, 'main'), ...snapshot(3, 1, 'side'), ...snapshot(4, 3, 'side'), ...snapshot(5, 2, 'main')]
    expect((await world.call('updateTable', { path: at('t'), body: { requirements: [], updates } })).status).toBe(200)
    const idsIn = async (snapshots: string): Promise<unknown[]> => {
      const { body } = await world.call('loadTable', { path: at('t'), query: { snapshots } })
      return ((body['metadata'] as Record<string, Json>)['snapshots'] as Record<string, Json>[]).map((each) => each['snapshot-id'])
    }
    expect(await idsIn('refs')).toEqual([4, 5])
    expect(await idsIn('all')).toEqual([1, 2, 3, 4, 5])
    expect((await world.call('loadTable', { path: at('t'), query: { snapshots: 'some' } })).status).toBe(400)
  })
})

describe('transactions', () => {
  const change = (name: string, requirements: readonly Json[], updates: readonly Json[]): Json => ({ identifier: { namespace: ['db'], name }, requirements: requirements as Json[], updates: updates as Json[] })
  const property: Json = { action: 'set-properties', updates: { a: 'b' } }
  const commit = (...changes: readonly Json[]): Promise<TestAnswer> => world.call('commitTransaction', { body: { 'table-changes': changes as Json[] } })

  test('make tables and change others, all or none of it', async () => {
    await createTable('t')
    const staged = await world.call('createTable', { path: ns, body: { name: 'fresh', schema: simpleSchema, 'stage-create': true } })
    const metadata = staged.body['metadata'] as Record<string, Json>
    const make = change('fresh', [{ type: 'assert-create' }], [
      { action: 'assign-uuid', uuid: metadata['table-uuid'] ?? '' }, { action: 'upgrade-format-version', 'format-version': 2 },
      { action: 'add-schema', schema: (metadata['schemas'] as Json[])[0] ?? null }, { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { fields: [] } }, { action: 'set-default-spec', 'spec-id': -1 },
      { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } }, { action: 'set-default-sort-order', 'sort-order-id': -1 },
      { action: 'set-location', location: metadata['location'] ?? '' },
    ])
    const files = store.fileLocations
    expect((await commit(make, change('t', [{ type: 'assert-current-schema-id', 'current-schema-id': 9 }], [property]))).errorType).toBe('CommitFailedException')
    expect((await world.call('tableExists', { path: at('fresh') })).status).toBe(404)
    expect(store.fileLocations).toEqual(files)
    expect((await commit(make, change('t', [], [property]))).status).toBe(204)
    expect((await world.call('loadTable', { path: at('fresh') })).body['metadata']).toMatchObject({ 'table-uuid': metadata['table-uuid'] })
    expect((await commit(make)).status).toBe(409)
  })

  test('are refused whole for a table that is not there, is named twice, or an update that nobody knows', async () => {
    await createTable('t')
    const { body: before } = await world.call('loadTable', { path: at('t') })
    expect((await commit(change('t', [], [property]), change('nowhere', [], [property]))).errorType).toBe('NoSuchTableException')
    expect((await commit(change('t', [], [property]), change('t', [], [property]))).status).toBe(400)
    expect((await commit(change('t', [], [property]), change('t2', [], [{ action: 'fly' }]))).status).toBe(400)
    expect((await world.call('commitTransaction', { body: {} })).status).toBe(400)
    expect((await world.call('loadTable', { path: at('t') })).body).toEqual(before)
    expect((await commit()).status).toBe(204)
  })
})

describe('names', () => {
  test('are shared by tables and views, whichever way one comes to be', async () => {
    await createTable('t')
    await createView('v')
    expect((await createView('t')).errorType).toBe('AlreadyExistsException')
    expect((await createTable('v')).errorType).toBe('AlreadyExistsException')
    const rename = (operationId: 'renameTable' | 'renameView', from: string, to: string): Promise<TestAnswer> =>
      world.call(operationId, { body: { source: { namespace: ['db'], name: from }, destination: { namespace: ['db'], name: to } } })
    expect((await rename('renameTable', 't', 'v')).errorType).toBe('AlreadyExistsException')
    expect((await rename('renameView', 'v', 't')).errorType).toBe('AlreadyExistsException')
    expect((await rename('renameTable', 'nowhere', 'x')).errorType).toBe('NoSuchTableException')
    const { 'metadata-location': location } = (await world.call('loadTable', { path: at('t') })).body
    for (const overwrite of [false, true]) {
      const registered = await world.call('registerTable', { path: ns, body: { name: 'v', 'metadata-location': location ?? '', overwrite } })
      expect(registered.errorType).toBe('AlreadyExistsException')
    }
  })

  test('may change with the namespace, of tables and of views, where that is there', async () => {
    await createTable('t')
    await createView('v')
    await world.call('createNamespace', { body: { namespace: ['db', 'inner'] } })
    const inner = { namespace: 'db\u001finner' }
    const { metadata } = (await world.call('loadTable', { path: at('t') })).body
    const move = (operationId: 'renameTable' | 'renameView', name: string, namespace: string[]): Promise<TestAnswer> =>
      world.call(operationId, { body: { source: { namespace: ['db'], name }, destination: { namespace, name: `${name}2` } } })
    expect((await move('renameTable', 't', ['nowhere'])).errorType).toBe('NoSuchNamespaceException')
    expect((await move('renameTable', 't', ['db', 'inner'])).status).toBe(204)
    expect((await move('renameView', 'v', ['db', 'inner'])).status).toBe(204)
    expect((await world.call('loadTable', { path: { ...inner, table: 't2' } })).body['metadata']).toEqual(metadata)
    expect((await world.call('loadView', { path: { ...inner, view: 'v2' } })).status).toBe(200)
    expect((await world.call('tableExists', { path: at('t') })).status).toBe(404)
    expect((await world.call('listTables', { path: ns })).body['identifiers']).toEqual([])
    expect((await world.call('listTables', { path: inner })).body['identifiers']).toEqual([{ namespace: ['db', 'inner'], name: 't2' }])
  })

  test('of namespaces go to any depth, hold any characters, and keep the parts of others apart', async () => {
    for (const level of ['a.b', 'ä/b', '%1F', 'x'.repeat(200), ' ', '日本']) {
      expect((await world.call('createNamespace', { body: { namespace: ['db', level] } })).status).toBe(200)
      const path = { namespace: `db\u001f${level}` }
      expect((await world.call('createTable', { path, body: { name: level, schema: simpleSchema } })).status).toBe(200)
      expect((await world.call('listTables', { path })).body['identifiers']).toEqual([{ namespace: ['db', level], name: level }])
    }
    expect((await world.call('listTables', { path: ns })).body['identifiers']).toEqual([])
    let deep = ['db']
    for (let depth = 0; depth < 40; depth++) {
      deep = [...deep, `l${depth}`]
      expect((await world.call('createNamespace', { body: { namespace: deep } })).status).toBe(200)
    }
    expect((await world.call('createNamespace', { body: { namespace: ['nowhere', 'x'] } })).errorType).toBe('NoSuchNamespaceException')
  })

  test('of properties that are both set and removed are 422', async () => {
    const both = await world.call('updateProperties', { path: ns, body: { updates: { a: 'b', c: 'd' }, removals: ['a'] } })
    expect([both.status, both.errorType]).toEqual([422, 'UnprocessableEntityException'])
    const answer = await world.call('updateProperties', { path: ns, body: { updates: { a: 'b' }, removals: ['c', 'none'] } })
    expect(answer.body).toEqual({ updated: ['a'], removed: [], missing: ['c', 'none'] })
  })
})

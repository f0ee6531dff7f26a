import { expect, test } from 'vitest'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, testCatalog } from '../testing.ts'

/** Two workers over one store, each with what it remembers. */
async function open() {
  const store = new MemoryCatalogStore(['lake'])
  const [here, there] = [await testCatalog(store, 'here'), await testCatalog(store, 'there')]
  await here.call('createNamespace', { body: { namespace: ['db'] } })
  return { store, here, there }
}

const table = { path: { namespace: 'db', table: 't' } }

test('a file that was forgotten, written anew and registered again is read anew on every worker', async () => {
  const { store, here, there } = await open()
  const created = await here.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema, properties: { version: 'first' } } })
  const location = created.body['metadata-location'] as string
  const first = await there.call('loadTable', table)
  for (const version of ['second', 'third']) {
    expect((await here.call('unregisterTable', table)).status).toBe(200)
    const text = Buffer.from(await store.readFile(location)).toString().replace(/"version":"[a-z]+"/, `"version":"${version}"`)
    expect(store.writeFile(location, Buffer.from(text))).toBe(true)
    const registered = await here.call('registerTable', { path: { namespace: 'db' }, body: { name: 't', 'metadata-location': location } })
    for (const answer of [registered, await here.call('loadTable', table), await there.call('loadTable', table)]) {
      expect(answer.body).toMatchObject({ 'metadata-location': location, metadata: { properties: { version } } })
    }
    // What a client has of the content before does not count as this one.
    const again = await there.call('loadTable', { ...table, headers: { 'if-none-match': first.headers['etag'] ?? '' } })
    expect([again.status, again.headers['etag'] === registered.headers['etag']]).toEqual([200, true])
  }
  const committed = await there.call('updateTable', { ...table, body: { requirements: [], updates: [{ action: 'set-properties', updates: { more: 'x' } }] } })
  expect(committed.body).toMatchObject({ metadata: { properties: { version: 'third', more: 'x' } } })
})

test('so is a view', async () => {
  const { store, here, there } = await open()
  const version = { 'version-id': 1, 'timestamp-ms': 1, 'schema-id': 0, summary: {}, 'default-namespace': ['db'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }
  const created = await here.call('createView', { path: { namespace: 'db' }, body: { name: 'v', schema: simpleSchema, 'view-version': version, properties: {} } })
  const location = created.body['metadata-location'] as string
  const view = { path: { namespace: 'db', view: 'v' } }
  await there.call('loadView', view)
  await here.call('dropView', view)
  store.writeFile(location, Buffer.from(Buffer.from(await store.readFile(location)).toString().replace('select 1', 'select 2')))
  expect((await here.call('registerView', { path: { namespace: 'db' }, body: { name: 'v', 'metadata-location': location } })).status).toBe(200)
  const loaded = await there.call('loadView', view)
  expect(loaded.body).toMatchObject({ metadata: { versions: [{ representations: [{ sql: 'select 2' }] }] } })
})

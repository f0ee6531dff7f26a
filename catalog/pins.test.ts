import { beforeEach, describe, expect, test } from 'vitest'
import type { Json } from './json/json.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'
import { simpleSchema, testCatalog, type TestAnswer, type TestCatalog } from './testing.ts'

const ns = { namespace: 'db' }
const at = (table: string): Record<string, string> => ({ ...ns, table })

/** What a table or view points at is pinned; nothing else is. */
describe('metadata files are pinned exactly as long as something can be reached through them', () => {
  let store: MemoryCatalogStore
  let world: TestCatalog
  beforeEach(async () => {
    store = new MemoryCatalogStore(['lake'])
    world = await testCatalog(store)
    await world.call('createNamespace', { body: { namespace: ['db'] } })
  })

  const locationOf = ({ body }: TestAnswer): string => body['metadata-location'] as string
  const create = async (name: string): Promise<string> => locationOf(await world.call('createTable', { path: ns, body: { name, schema: simpleSchema } }))
  const set = async (name: string, properties: Record<string, string>, headers = {}): Promise<string> =>
    locationOf(await world.call('updateTable', { path: at(name), headers, body: { requirements: [], updates: [{ action: 'set-properties', updates: properties }] } }))
  const pinned = (): string[] => store.fileLocations.filter((location) => store.isPinned(location))

  test('through commits, renames and a drop', async () => {
    const first = await create('t')
    expect(pinned()).toEqual([first])
    const second = await set('t', { a: 'b' })
    expect(pinned()).toEqual([second])
    await world.call('renameTable', { body: { source: { namespace: ['db'], name: 't' }, destination: { namespace: ['db'], name: 'u' } } })
    expect(pinned()).toEqual([second])
    await world.call('dropTable', { path: at('u') })
    expect(pinned()).toEqual([])
    expect(store.fileLocations).toEqual([first, second].sort())
  })

  test('through a transaction over several tables', async () => {
    for (const name of ['t', 'u']) await create(name)
    const change = (name: string): Json => ({ identifier: { namespace: ['db'], name }, requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] })
    await world.call('commitTransaction', { body: { 'table-changes': [change('t'), change('u')] } })
    const current = await Promise.all(['t', 'u'].map(async (name) => locationOf(await world.call('loadTable', { path: at(name) }))))
    expect(pinned()).toEqual(current.sort())
  })

  test('by each table that was registered with the file', async () => {
    const first = await create('t')
    const register = (name: string, location: string, overwrite = false): Promise<TestAnswer> =>
      world.call('registerTable', { path: ns, body: { name, 'metadata-location': location, overwrite } })
    expect((await register('u', first)).status).toBe(200)
    const second = await set('t', { a: 'b' })
    expect(pinned()).toEqual([first, second].sort())
    expect((await register('u', second, true)).status).toBe(200)
    expect(pinned()).toEqual([second])
    await world.call('unregisterTable', { path: at('t') })
    expect(pinned()).toEqual([second])
    expect((await register('u', second, true)).status).toBe(200)
    await world.call('dropTable', { path: at('u') })
    expect(pinned()).toEqual([])
    expect((await register('w', 's3://lake/nowhere.metadata.json')).status).toBe(404)
  })

  test('not by a registration that failed, with or without an idempotency key', async () => {
    store.writeFile('s3://lake/broken.metadata.json', Buffer.from('{}'))
    const body = { name: 'b', 'metadata-location': 's3://lake/broken.metadata.json' }
    const headers = { 'idempotency-key': '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }
    expect((await world.call('registerTable', { path: ns, body })).status).toBe(400)
    expect((await world.call('registerTable', { path: ns, body, headers })).status).toBe(400)
    expect((await world.call('registerView', { path: ns, body })).status).toBe(400)
    expect(pinned()).toEqual([])
  })

  test('while a drop can be taken back', async () => {
    await world.call('updateWarehouse', { path: { warehouse: 'lake' }, body: { 'undrop-ms': 60_000 } })
    const location = await create('t')
    await world.call('registerTable', { path: ns, body: { name: 'again', 'metadata-location': location } })
    await world.call('dropTable', { path: at('t') })
    await world.call('dropTable', { path: at('again') })
    expect(pinned()).toEqual([location])
    const [dropped] = (await world.call('listDropped')).body['dropped'] as { readonly uuid: string }[]
    await world.call('undrop', { path: { uuid: dropped?.uuid ?? '' } })
    expect(pinned()).toEqual([location])
    await world.call('dropNamespace', { path: ns, query: { recursive: 'true' } })
    expect(pinned()).toEqual([location])
    world.clock.ms += 61_000
    await world.catalog.maintain()
    expect(pinned()).toEqual([])
  })

  test('of views as of tables', async () => {
    const version = { 'version-id': 1, 'schema-id': 0, 'timestamp-ms': 1, summary: {}, 'default-namespace': ['db'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }
    const first = locationOf(await world.call('createView', { path: ns, body: { name: 'v', schema: simpleSchema, 'view-version': version, properties: {} } }))
    expect(pinned()).toEqual([first])
    const path = { ...ns, view: 'v' }
    const second = locationOf(await world.call('replaceView', { path, body: { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] } }))
    expect(pinned()).toEqual([second])
    await world.call('dropView', { path })
    expect(pinned()).toEqual([])
    await world.call('registerView', { path: ns, body: { name: 'v', 'metadata-location': first } })
    expect(pinned()).toEqual([first])
  })

  const deleting = { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '1' }
  /** Longer than a worker goes on with the folders that it knows. */
  const laterMs = 6_000

  test('old metadata files go when the table wants it, but not one that another table points at, and none while another has the same folder', async () => {
    await create('t')
    const second = await set('t', deleting)
    const third = await set('t', { a: '1' })
    expect(store.fileLocations).toEqual([second, third].sort())
    await world.call('registerTable', { path: ns, body: { name: 'old', 'metadata-location': second } })
    const fourth = await set('t', { a: '2' })
    expect(store.fileLocations).toEqual([second, third, fourth].sort())
    expect((await world.call('loadTable', { path: at('old') })).status).toBe(200)
    world.clock.ms += laterMs
    const fifth = await set('t', { a: '3' })
    expect(store.fileLocations).toEqual([second, third, fourth, fifth].sort())
    await world.call('dropTable', { path: at('old') })
    world.clock.ms += laterMs
    const sixth = await set('t', { a: '4' })
    expect(store.fileLocations).toEqual([second, third, fifth, sixth].sort())
  })

  test('old metadata files go where the table says that they are, not where it had them before', async () => {
    const first = await create('t')
    const moved = await set('t', { ...deleting, 'write.metadata.path': 's3://lake/logs/' })
    expect(moved).toMatch(/^s3:\/\/lake\/logs\//)
    const third = await set('t', { a: '1' })
    const back = await set('t', { a: '2' })
    expect(store.fileLocations).toEqual([third, back].sort())
    expect(store.fileLocations).not.toContain(first)
    await world.call('updateTable', { path: at('t'), body: { requirements: [], updates: [{ action: 'remove-properties', removals: ['write.metadata.path'] }] } })
    await set('t', { a: '3' })
    expect(store.fileLocations).toContain(back)
  })

  test('a log that names another table’s metadata files, or those of nobody, deletes none of them', async () => {
    const old = await create('victim')
    await set('victim', { a: 'b' })
    const metadata = JSON.parse((await store.readFile(await create('t'))).toString()) as Record<string, unknown>
    const nobodys = 's3://lake/elsewhere/00001-x.metadata.json'
    store.writeFile(nobodys, Buffer.from('x'))
    const log = [old, nobodys].map((file, index) => ({ 'timestamp-ms': index, 'metadata-file': file }))
    for (const [name, location] of [['beside', metadata['location']], ['around', 's3://lake/db'], ['within', old.replace(/\/[^/]*$/, '')]] as const) {
      const forged = `s3://lake/${name}.metadata.json`
      store.writeFile(forged, Buffer.from(JSON.stringify({ ...metadata, location, 'metadata-log': log })))
      expect((await world.call('registerTable', { path: ns, body: { name, 'metadata-location': forged } })).status).toBe(200)
      await set(name, deleting)
      await set(name, { a: 'b' })
      expect([name, store.fileLocations.filter((file) => [old, nobodys].includes(file))]).toEqual([name, [old, nobodys].sort()])
    }
  })

  test('a log that names other files deletes none of them', async () => {
    const location = await create('t')
    const metadata = JSON.parse((await store.readFile(location)).toString()) as Record<string, unknown>
    const foreign = ['s3://lake/db/other/00001.parquet', 's3://lake/notes.txt']
    for (const file of foreign) store.writeFile(file, Buffer.from('x'))
    store.writeFile('s3://lake/forged.metadata.json', Buffer.from(JSON.stringify({ ...metadata, 'metadata-log': foreign.map((file, index) => ({ 'timestamp-ms': index, 'metadata-file': file })) })))
    await world.call('registerTable', { path: ns, body: { name: 'forged', 'metadata-location': 's3://lake/forged.metadata.json' } })
    await set('forged', { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '1' })
    await set('forged', { a: 'b' })
    for (const file of foreign) expect(store.fileLocations).toContain(file)
  })
})

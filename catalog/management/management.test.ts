import { beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { owner, simpleSchema, stranger, testCatalog, type TestCatalog } from '../testing.ts'

const ns = { namespace: 'db' }
const events = { namespace: 'db', table: 'events' }

describe('management', () => {
  let world: TestCatalog
  beforeEach(async () => {
    world = await testCatalog()
    await world.call('createNamespace', { body: { namespace: ['db'] } })
    await world.call('createTable', { path: ns, body: { name: 'events', schema: simpleSchema } })
  })

  test('warehouses are created, shown to their owner, changed and dropped when empty', async () => {
    const created = await world.call('createWarehouse', { body: { name: 'sea' } })
    expect(created.body).toMatchObject({ name: 'sea', bucket: 'sea', 'owner-account-id': owner.accountId })
    expect((await world.call('createWarehouse', { body: { name: 'sea' } })).errorType).toBe('AlreadyExistsException')
    expect((await world.call('createWarehouse', { body: { name: 'oauth' } })).status).toBe(400)
    expect((await world.call('listWarehouses')).body['warehouses']).toHaveLength(2)
    expect((await world.call('listWarehouses', { caller: stranger })).body['warehouses']).toEqual([])
    expect((await world.call('loadWarehouse', { path: { warehouse: 'sea' }, caller: stranger })).status).toBe(403)
    expect((await world.call('updateWarehouse', { path: { warehouse: 'sea' }, body: { 'undrop-ms': 1000 } })).body['undrop-ms']).toBe(1000)
    await world.call('createNamespace', { path: { prefix: 'sea' }, body: { namespace: ['a'] } })
    expect((await world.call('dropWarehouse', { path: { warehouse: 'sea' } })).errorType).toBe('WarehouseNotEmptyException')
    await world.call('dropNamespace', { path: { prefix: 'sea', namespace: 'a' } })
    expect((await world.call('dropWarehouse', { path: { warehouse: 'sea' } })).status).toBe(204)
    expect((await world.call('createNamespace', { path: { prefix: 'sea' }, body: { namespace: ['a'] } })).status).toBe(404)
  })

  test('warehouses in one bucket are kept apart by their prefixes', async () => {
    for (const name of ['sea', 'pond']) await world.call('createWarehouse', { body: { name, bucket: 'lake', prefix: `${name}/` } })
    const locationIn = async (prefix: string): Promise<string> => {
      await world.call('createNamespace', { path: { prefix }, body: { namespace: ['db'] } })
      const created = await world.call('createTable', { path: { ...ns, prefix }, body: { name: 'events', schema: simpleSchema } })
      return created.body['metadata-location'] as string
    }
    const [sea, pond] = [await locationIn('sea'), await locationIn('pond')]
    expect([sea, pond]).toEqual([expect.stringMatching(/^s3:\/\/lake\/sea\/db\//), expect.stringMatching(/^s3:\/\/lake\/pond\/db\//)])
    expect((await world.call('registerTable', { path: { ...ns, prefix: 'pond' }, body: { name: 'stolen', 'metadata-location': sea } })).status).toBe(400)
    expect((await world.call('createTable', { path: { ...ns, prefix: 'pond' }, body: { name: 'x', schema: simpleSchema, location: 's3://lake/sea/x' } })).status).toBe(400)
    const moved = { requirements: [], updates: [{ action: 'set-location', location: 's3://lake/sea/moved' }] }
    expect((await world.call('updateTable', { path: { ...events, prefix: 'pond' }, body: moved })).status).toBe(400)
    await world.call('dropTable', { path: { ...events, prefix: 'pond' } })
    expect((await world.call('tableExists', { path: { ...events, prefix: 'sea' } })).status).toBe(204)
    expect((await world.call('tableExists', { path: events })).status).toBe(204)
  })

  test('an unregistered table keeps its files, and takes no more commits', async () => {
    const { body: before } = await world.call('loadTable', { path: events })
    const unregistered = await world.call('unregisterTable', { path: events })
    expect(unregistered.body).toEqual({ 'metadata-location': before['metadata-location'], metadata: before['metadata'] })
    const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] }
    expect((await world.call('updateTable', { path: events, body: commit })).errorType).toBe('NoSuchTableException')
    expect((await world.call('unregisterTable', { path: events })).status).toBe(404)
    const back = await world.call('registerTable', { path: ns, body: { name: 'events', 'metadata-location': before['metadata-location'] ?? '' } })
    expect(back.body['metadata']).toEqual(before['metadata'])
  })

  test('a table whose metadata file is gone is said to be, and can be dropped', async () => {
    const { body } = await world.call('loadTable', { path: events })
    const location = body['metadata-location'] as string
    await world.store.transact((tx) => tx.unpinFile(location))
    await world.store.transact((tx) => tx.deleteFile(location))
    const fresh = await testCatalog(world.store, 'another worker')
    expect((await fresh.call('loadTable', { path: events })).errorType).toBe('NotFoundException')
    const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] }
    expect((await fresh.call('updateTable', { path: events, body: commit })).status).toBe(404)
    expect((await fresh.call('dropTable', { path: events, query: { purgeRequested: 'true' } })).status).toBe(204)
    expect(await fresh.catalog.maintain()).toMatchObject({ purgedTables: 1 })
  })

  test('a dropped table can be restored while its warehouse keeps it', async () => {
    await world.call('updateWarehouse', { path: { warehouse: 'lake' }, body: { 'undrop-ms': 60_000 } })
    const before = await world.call('loadTable', { path: events })
    await world.call('dropTable', { path: events })
    expect((await world.call('loadTable', { path: events })).status).toBe(404)
    const [dropped] = (await world.call('listDropped')).body['dropped'] as { readonly uuid: string }[]
    const undrop = { path: { uuid: dropped?.uuid ?? '' } }
    await world.call('createTable', { path: ns, body: { name: 'events', schema: simpleSchema } })
    expect((await world.call('undrop', undrop)).status).toBe(409)
    expect((await world.call('undrop', { ...undrop, body: { destination: { namespace: ['db'], name: 'old' } } })).status).toBe(200)
    expect((await world.call('loadTable', { path: { namespace: 'db', table: 'old' } })).body).toEqual(before.body)
    expect((await world.call('listDropped')).body['dropped']).toEqual([])
    expect((await world.call('undrop', undrop)).status).toBe(404)
  })

  test('what is protected cannot be dropped, and survives commits and renames', async () => {
    const protect = (on: boolean): Json => ({ protected: on })
    await world.call('setTableProtection', { path: events, body: protect(true) })
    await world.call('updateTable', { path: events, body: { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] } })
    await world.call('renameTable', { body: { source: { namespace: ['db'], name: 'events' }, destination: { namespace: ['db'], name: 'kept' } } })
    const kept = { namespace: 'db', table: 'kept' }
    expect((await world.call('dropTable', { path: kept })).errorType).toBe('ProtectedException')
    expect((await world.call('dropNamespace', { path: ns, query: { recursive: 'true' } })).status).toBe(409)
    await world.call('setTableProtection', { path: kept, body: protect(false) })
    await world.call('setNamespaceProtection', { path: ns, body: protect(true) })
    expect((await world.call('dropNamespace', { path: ns, query: { recursive: 'true' } })).status).toBe(409)
    await world.call('setNamespaceProtection', { path: ns, body: protect(false) })
    expect((await world.call('dropNamespace', { path: ns, query: { recursive: 'true' } })).status).toBe(204)
  })

  test('a namespace is dropped with all that it holds only when asked', async () => {
    await world.call('createNamespace', { body: { namespace: ['db', 'inner'] } })
    await world.call('createTable', { path: { namespace: 'db\u001finner' }, body: { name: 'deep', schema: simpleSchema } })
    expect((await world.call('dropNamespace', { path: ns })).errorType).toBe('NamespaceNotEmptyException')
    expect((await world.call('dropNamespace', { path: ns, query: { recursive: 'true' } })).status).toBe(204)
    expect((await world.call('listNamespaces')).body['namespaces']).toEqual([])
    expect((await world.call('loadTable', { path: { namespace: 'db\u001finner', table: 'deep' } })).status).toBe(404)
  })

  test('functions are stored, listed, loaded and dropped', async () => {
    const metadata: Json = {
      'function-uuid': 'a2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3',
      'format-version': 1,
      definitions: [{
        'definition-id': 'int', parameters: [{ type: 'int', name: 'x' }], 'return-type': 'int', 'current-version-id': 1, 'function-type': 'udf',
        versions: [{ 'version-id': 1, 'timestamp-ms': 1, representations: [{ type: 'sql', dialect: 'spark', sql: 'x + 1' }] }],
      }],
      'definition-log': [{ 'timestamp-ms': 1, 'definition-versions': [{ 'definition-id': 'int', 'version-id': 1 }] }],
    }
    const path = { ...ns, function: 'add_one' }
    expect((await world.call('storeFunction', { path, body: metadata })).status).toBe(200)
    expect((await world.call('storeFunction', { path, body: { ...metadata, 'format-version': 2 } })).status).toBe(400)
    expect((await world.call('listFunctions', { path: ns })).body['identifiers']).toEqual([['db', 'add_one']])
    expect((await world.call('loadFunction', { path })).body).toEqual({ metadata })
    expect((await world.call('dropFunction', { path })).status).toBe(204)
    expect((await world.call('loadFunction', { path })).errorType).toBe('NoSuchFunctionException')
  })

  test('metrics are kept and can be read', async () => {
    const report = { 'report-type': 'scan-report', 'table-name': 'events', 'snapshot-id': 9_123_456_789_012_345_678n, filter: true, 'schema-id': 0, 'projected-field-ids': [], 'projected-field-names': [], metrics: {} }
    for (let count = 0; count < 3; count++) expect((await world.call('reportMetrics', { path: events, body: report })).status).toBe(204)
    expect((await world.call('reportMetrics', { path: events, body: { 'report-type': 'weather' } })).status).toBe(400)
    const first = await world.call('listMetrics', { path: events, query: { pageSize: '2' } })
    expect(first.body['reports']).toHaveLength(2)
    const rest = await world.call('listMetrics', { path: events, query: { pageSize: '2', pageToken: first.body['next-page-token'] as string } })
    expect(rest.body).toMatchObject({ 'next-page-token': null, reports: [{ report }] })
  })
})

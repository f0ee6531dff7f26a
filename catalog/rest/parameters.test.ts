import { expect, test } from 'vitest'
import { simpleSchema, testCatalog } from '../testing.ts'

const table = { namespace: 'db', table: 't' }

async function open() {
  const catalog = await testCatalog()
  await catalog.call('createNamespace', { body: { namespace: ['db'] } })
  await catalog.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
  return catalog
}

test.each([
  ['loadTable', { snapshot: 'refs' }, table],
  ['listTables', { pagesize: '10' }, { namespace: 'db' }],
  ['listTables', { recursive: 'true' }, { namespace: 'db' }],
  ['dropTable', { purge: 'true' }, table],
  ['tableExists', { snapshots: 'refs' }, table],
  ['getConfig', { prefix: 'lake' }, {}],
] as const)('%s with %o is refused: a parameter that it does not know', async (operationId, query, path) => {
  const catalog = await open()
  const answer = await catalog.call(operationId, { path, query })
  expect([answer.status, answer.body['error']]).toMatchObject([400, { message: `Unknown query parameter: ${Object.keys(query)[0]}` }])
  expect((await catalog.call('tableExists', { path: table })).status).toBe(204)
})

test.each(['if-match', 'if-none-match', 'if-unmodified-since', 'if-modified-since'])('a write on the condition of %s is refused', async (name) => {
  const catalog = await open()
  const headers = { [name]: '"x"' }
  const commit = await catalog.call('updateTable', { path: table, headers, body: { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] } })
  expect([commit.status, commit.body['error']]).toMatchObject([400, { message: `Unsupported header: ${name}` }])
  expect((await catalog.call('dropTable', { path: table, headers })).status).toBe(400)
  const loaded = await catalog.call('loadTable', { path: table })
  expect(loaded.body['metadata']).not.toHaveProperty('properties.a')
})

test('a read answers with all there is, whatever it asks to be spared', async () => {
  const catalog = await open()
  expect((await catalog.call('listTables', { path: { namespace: 'db' }, headers: { 'if-none-match': '"x"' } })).status).toBe(200)
  expect((await catalog.call('loadTable', { path: table, headers: { 'if-match': '"x"' } })).status).toBe(400)
})

test('every mutation takes an Idempotency-Key, also where the specification does not say so', async () => {
  const catalog = await open()
  const body = { name: 'v', schema: simpleSchema, 'view-version': { 'version-id': 1, 'timestamp-ms': 1, 'schema-id': 0, summary: {}, 'default-namespace': ['db'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }, properties: {} }
  const headers = { 'idempotency-key': '00000000-0000-4000-8000-000000000001' }
  const create = () => catalog.call('createView', { path: { namespace: 'db' }, body, headers })
  const first = await create()
  expect(first.status).toBe(200)
  expect(await create()).toMatchObject({ status: 200, body: first.body })
})

test('credentials of a scan plan that is not there are 404', async () => {
  const catalog = await open()
  const answer = await catalog.call('loadCredentials', { path: table, query: { planId: 'nothing' } })
  expect([answer.status, answer.errorType]).toEqual([404, 'NoSuchPlanIdException'])
})

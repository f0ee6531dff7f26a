import { beforeEach, describe, expect, test } from 'vitest'
import { createCatalog } from '../catalog.ts'
import { CatalogStoreError, type CatalogStore, type CatalogTransaction } from '../catalog-store.ts'
import type { Json } from '../json/json.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { key, rangeOf } from '../rows/keys.ts'
import { owner, seededRandom, simpleSchema, testCatalog, TestClock, withOwn, type TestAnswer, type TestCatalog } from '../testing.ts'

const ns = { namespace: 'db' }
const headers = { 'idempotency-key': '017F22E2-79B0-7CC3-98C4-DC0C0C07398F' }
const createEvents = { path: ns, body: { name: 'events', schema: simpleSchema } as Json }

describe('a request under an Idempotency-Key', () => {
  let store: MemoryCatalogStore
  let world: TestCatalog
  beforeEach(async () => {
    store = new MemoryCatalogStore(['lake'])
    world = await testCatalog(store)
    await world.call('createNamespace', { body: { namespace: ['db'] } })
  })

  const records = async (): Promise<number> => (await store.list({ ...rangeOf(key('i')), limit: 1000 })).length

  /** Each operation that takes a key: what makes it possible, what it is asked, and what it answers. */
  const operations: readonly (readonly [Parameters<TestCatalog['call']>[0], Parameters<TestCatalog['call']>[1], number])[] = [
    ['createNamespace', { body: { namespace: ['db', 'inner'] } }, 200],
    ['updateProperties', { path: ns, body: { updates: { a: 'b' }, removals: [] } }, 200],
    ['createTable', { path: ns, body: { name: 'fresh', schema: simpleSchema } }, 200],
    ['updateTable', { path: { ...ns, table: 'events' }, body: { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] } }, 200],
    ['commitTransaction', { body: { 'table-changes': [{ identifier: { namespace: ['db'], name: 'events' }, requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] }] } }, 204],
    ['renameTable', { body: { source: { namespace: ['db'], name: 'events' }, destination: { namespace: ['db'], name: 'renamed' } } }, 204],
    ['unregisterTable', { path: { ...ns, table: 'events' } }, 200],
    ['dropTable', { path: { ...ns, table: 'events' } }, 204],
    ['dropNamespace', { path: { namespace: 'empty' } }, 204],
    ['planTableScan', { path: { ...ns, table: 'events' }, body: {} }, 200],
  ]

  test.each(operations)('is carried out once: %s', async (operationId, request, status) => {
    await world.call('createTable', createEvents)
    await world.call('createNamespace', { body: { namespace: ['empty'] } })
    const first = await world.call(operationId, { ...request, headers })
    expect(first.status).toBe(status)
    const eventsBefore = store.events.length
    const filesBefore = store.fileLocations
    expect(await world.call(operationId, { ...request, headers: { 'idempotency-key': headers['idempotency-key'].toLowerCase() } })).toEqual(first)
    expect([store.events.length, store.fileLocations]).toEqual([eventsBefore, filesBefore])
  })

  test('is not repeated when it was refused for good', async () => {
    const missing = { path: { ...ns, table: 'events' } }
    expect((await world.call('dropTable', { ...missing, headers })).status).toBe(404)
    await world.call('createTable', createEvents)
    expect((await world.call('dropTable', { ...missing, headers })).status).toBe(404)
    expect((await world.call('tableExists', missing)).status).toBe(204)
  })

  test('is 422 for another request: method, path, query or body', async () => {
    await world.call('createTable', createEvents)
    const drop = { path: { ...ns, table: 'nowhere' }, headers }
    expect((await world.call('dropTable', drop)).status).toBe(404)
    for (const other of [{ ...drop, path: { ...ns, table: 'events' } }, { ...drop, query: { purgeRequested: 'true' } }]) {
      expect((await world.call('dropTable', other)).errorType).toBe('UnprocessableEntityException')
    }
    expect((await world.call('createTable', { ...createEvents, headers })).status).toBe(422)
    expect((await world.call('tableExists', { path: { ...ns, table: 'events' } })).status).toBe(204)
  })

  test('is of its caller: another one of the same account has its own', async () => {
    const other = { ...owner, principalId: 'OTHER' }
    expect((await world.call('createTable', { ...createEvents, headers })).status).toBe(200)
    expect((await world.call('createTable', { ...createEvents, headers, caller: other })).status).toBe(409)
  })

  test('is checked for rights again when it is repeated', async () => {
    expect((await world.call('createTable', { ...createEvents, headers })).status).toBe(200)
    let isAllowed = true
    const catalog = createCatalog({ store, clock: world.clock, random: seededRandom('rights'), settings: { idempotencyLifetimeMs: 1_800_000 }, authorize: () => isAllowed })
    const body = Buffer.from(JSON.stringify(createEvents.body))
    const again = () => catalog.run({ operationId: 'createTable', caller: owner, path: { prefix: 'lake', ...ns }, query: {}, headers, body, fileIoProperties: {} })
    expect((await again()).status).toBe(200)
    isAllowed = false
    expect((await again()).status).toBe(403)
    isAllowed = true
    expect((await again()).status).toBe(200)
  })

  test.each([false, true])('vends credentials as the caller’s rights are when it is repeated, staged: %s', async (isStaged) => {
    let operationIds = ['createTable']
    const catalog = createCatalog({ store, clock: world.clock, random: seededRandom('vended'), settings: { idempotencyLifetimeMs: 1_800_000 }, authorize: ({ operationId }) => operationIds.includes(operationId) })
    const body = Buffer.from(JSON.stringify({ name: 'events', schema: simpleSchema, 'stage-create': isStaged }))
    const vended: string[] = []
    const ask = async (): Promise<string | undefined> => {
      const vend = async ({ access }: { readonly access: string }) => {
        vended.push(access)
        return { accessKeyId: 'A', secretAccessKey: 'vended secret', sessionToken: 'T', expiresAtMs: 1 }
      }
      const asked = { ...headers, 'x-iceberg-access-delegation': 'vended-credentials' }
      expect((await catalog.run({ operationId: 'createTable', caller: owner, path: { prefix: 'lake', ...ns }, query: {}, headers: asked, body, fileIoProperties: {}, vend })).status).toBe(200)
      return vended.pop()
    }
    expect(await ask()).toBe('write')
    expect(await ask()).toBeUndefined()
    operationIds = ['createTable', 'loadCredentials']
    expect(await ask()).toBe('read')
    operationIds = ['createTable', 'loadCredentials', 'updateTable']
    expect(await ask()).toBe('write')
    const stored = await store.list({ ...rangeOf(key('i')), limit: 1000 })
    expect(stored).toHaveLength(1)
    for (const { value } of stored) expect(value.includes('vended secret')).toBe(false)
  })

  test.each(['017f22e2-79b0-7cc3-98c4-dc0c0c07398', '017f22e2-79b0-7cc3-98c4-dc0c0c07398g', '', 'x'])('must be a UUID: %j', async (uuid) => {
    expect((await world.call('createTable', { ...createEvents, headers: { 'idempotency-key': uuid } })).status).toBe(400)
  })

  test.each(['017f22e2-79b0-4cc3-98c4-dc0c0c07398f', '017f22e2-79b0-1cc3-98c4-dc0c0c07398f'])('may be of any version: %s', async (uuid) => {
    expect((await world.call('createTable', { ...createEvents, headers: { 'idempotency-key': uuid } })).status).toBe(200)
  })

  test('leaves no record of a 5xx: the repetition is carried out', async () => {
    for (const code of ['Unavailable', 'OutcomeUnknown'] as const) {
      const failing = await clientOf(faulty(store, { before: code }), `before ${code}`)
      const answer = await failing('createTable')
      expect(answer.status).toBeGreaterThanOrEqual(500)
      expect(answer.headers['retry-after']).toBe(code === 'Unavailable' ? '1' : undefined)
      expect(await records()).toBe(0)
    }
    expect((await world.call('createTable', { ...createEvents, headers })).status).toBe(200)
  })

  test('answers what happened when the answer was lost after the commit', async () => {
    const failing = await clientOf(faulty(store, { after: 'OutcomeUnknown' }), 'after')
    expect((await failing('createTable')).errorType).toBe('CommitStateUnknownException')
    expect((await world.call('createTable', createEvents)).status).toBe(409)
    expect((await world.call('createTable', { ...createEvents, headers })).status).toBe(200)
  })

  test('that arrives again while the first runs waits for its outcome, on whatever worker', async () => {
    const workers = await Promise.all(Array.from({ length: 8 }, (_, index) => clientOf(yielding(store, index), `worker ${index}`)))
    const answers = await Promise.all(workers.map((ask) => ask('createTable')))
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      expect(answer.body['metadata-location']).toBe(answers[0]?.body['metadata-location'])
    }
    expect(store.events.filter(({ type }) => type === 'iceberg:CreateTable')).toHaveLength(1)
    expect(store.fileLocations).toHaveLength(1)
  })

  test('is remembered at least as long as advertised, then forgotten in bounded rounds', async () => {
    const uuid = (index: number): string => `017f22e2-79b0-7cc3-98c4-${String(index).padStart(12, '0')}`
    for (let index = 0; index < 600; index++) await world.call('updateProperties', { path: ns, body: { updates: { n: String(index) } }, headers: { 'idempotency-key': uuid(index) } })
    world.clock.ms += 1_800_000
    expect(await world.catalog.maintain()).toMatchObject({ expiredRecords: 0 })
    expect((await world.call('updateProperties', { path: ns, body: { updates: { n: '1' } }, headers: { 'idempotency-key': uuid(0) } })).status).toBe(422)
    world.clock.ms += 1_900_000
    expect(await world.catalog.maintain()).toMatchObject({ expiredRecords: 500 })
    expect(await world.catalog.maintain()).toMatchObject({ expiredRecords: 100 })
    expect(await records()).toBe(0)
    expect((await store.list({ ...rangeOf(key('j')), limit: 10 })).length).toBe(0)
  })
})

/** Asks for the table `events` under the same key, of a catalog of its own over this store. */
async function clientOf(store: CatalogStore, seed: string): Promise<(operationId: 'createTable') => Promise<TestAnswer>> {
  const catalog = createCatalog({ store, clock: new TestClock(), random: seededRandom(seed), settings: { idempotencyLifetimeMs: 1_800_000 } })
  return async (operationId) => {
    const body = Buffer.from(JSON.stringify(createEvents.body))
    const response = await catalog.run({ operationId, caller: owner, path: { prefix: 'lake', ...ns }, query: {}, headers, body, fileIoProperties: {} })
    const parsed = JSON.parse(await textOf(response.body)) as Record<string, Json>
    const error = parsed['error'] as { readonly type: string } | undefined
    return { status: response.status, headers: response.headers, body: parsed, errorType: error?.type }
  }
}

/** A body is text, or comes in pieces. */
async function textOf(body: string | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined): Promise<string> {
  if (typeof body === 'string' || body === undefined) return body ?? '{}'
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** Fails instead of the commit, or after it. */
function faulty(inner: MemoryCatalogStore, { before, after }: { readonly before?: 'Unavailable' | 'OutcomeUnknown'; readonly after?: 'OutcomeUnknown' }): CatalogStore {
  return withOwn<CatalogStore>(inner, {
    transact: async (body) => {
      const result = await inner.transact(async (tx) => {
        const value = await body(tx)
        if (before !== undefined) throw new CatalogStoreError(before, 'a fault of the test')
        return value
      })
      if (after !== undefined) throw new CatalogStoreError(after, 'a fault of the test')
      return result
    },
  })
}

/** Lets the others go on at every read, one more turn of the loop for each worker. */
function yielding(inner: MemoryCatalogStore, turns: number): CatalogStore {
  const pause = async <T>(value: Promise<T>): Promise<T> => {
    const read = await value
    for (let turn = 0; turn <= turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    return read
  }
  return withOwn<CatalogStore>(inner, {
    transact: (body) => inner.transact((tx) => body(withOwn<CatalogTransaction>(tx, { get: (rowKey) => pause(tx.get(rowKey)), list: (range) => pause(tx.list(range)) }))),
  })
}

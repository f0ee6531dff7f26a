import { beforeEach, describe, expect, test } from 'vitest'
import type { Json } from './json/json.ts'
import type { MemoryCatalogStore } from './memory-catalog-store.ts'
import { simpleSchema, stranger, testCatalog, type TestCatalog } from './testing.ts'

const bigId = 9_123_456_789_012_345_678n
const ns = { namespace: 'db' }
const events = { namespace: 'db', table: 'events' }

function snapshot(id: number | bigint, sequenceNumber: number, parent?: Json): Json {
  return {
    'snapshot-id': id,
    ...(parent !== undefined && { 'parent-snapshot-id': parent }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': 1_700_000_100_000 + sequenceNumber,
    'manifest-list': `s3://lake/db/events/metadata/snap-${String(id)}.avro`,
    summary: { operation: 'append' },
    'schema-id': 0,
  }
}

function append(id: number | bigint, sequenceNumber: number, parent?: Json): Json {
  return {
    requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parent ?? null }],
    updates: [
      { action: 'add-snapshot', snapshot: snapshot(id, sequenceNumber, parent) },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  }
}

describe('the first table', () => {
  let world: TestCatalog
  beforeEach(async () => {
    world = await testCatalog()
    await world.call('createNamespace', { body: { namespace: ['db'], properties: { owner: 'ada' } } })
  })

  async function createEvents(more: Record<string, Json> = {}): Promise<Record<string, Json>> {
    const answer = await world.call('createTable', { path: ns, body: { name: 'events', schema: simpleSchema, ...more } })
    expect(answer.status).toBe(200)
    return answer.body
  }

  test('is created, loaded, listed and dropped', async () => {
    const created = await createEvents()
    expect(created['metadata-location']).toMatch(/^s3:\/\/lake\/db\/events-[0-9a-f-]{36}\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/)
    expect(created['config']).toEqual({ 's3.endpoint': 'http://127.0.0.1:9000', 's3.path-style-access': 'true' })
    const loaded = await world.call('loadTable', { path: events })
    expect(loaded.body).toEqual(created)
    expect((await world.call('listTables', { path: ns })).body['identifiers']).toEqual([{ namespace: ['db'], name: 'events' }])
    expect((await world.call('tableExists', { path: events })).status).toBe(204)
    expect((await world.call('dropNamespace', { path: ns })).errorType).toBe('NamespaceNotEmptyException')
    expect((await world.call('dropTable', { path: events })).status).toBe(204)
    expect((await world.call('loadTable', { path: events })).errorType).toBe('NoSuchTableException')
    expect((await world.call('dropNamespace', { path: ns })).status).toBe(204)
  })

  test('keeps 64-bit snapshot ids exact through a commit, the file and a load', async () => {
    await createEvents()
    const committed = await world.call('updateTable', { path: events, body: append(bigId, 1) })
    expect(committed.status).toBe(200)
    const loaded = await world.call('loadTable', { path: events })
    expect((loaded.body['metadata'] as Record<string, Json>)['current-snapshot-id']).toBe(bigId)
    expect(loaded.body['metadata-location']).toMatch(/\/00001-/)
    const fresh = await testCatalog(world.store, 'other')
    expect((await fresh.call('loadTable', { path: events })).body).toEqual(loaded.body)
  })

  test('refuses a stale commit with 409 and leaves nothing behind', async () => {
    await createEvents()
    await world.call('updateTable', { path: events, body: append(1, 1) })
    const before = (world.store as MemoryCatalogStore).fileLocations
    const stale = await world.call('updateTable', { path: events, body: append(2, 2) })
    expect([stale.status, stale.errorType]).toEqual([409, 'CommitFailedException'])
    const staleSequence = { ...(append(3, 1, 1) as Record<string, Json>) }
    expect((await world.call('updateTable', { path: events, body: staleSequence })).status).toBe(409)
    expect((world.store as MemoryCatalogStore).fileLocations).toEqual(before)
  })

  test('is staged without a trace and created by the commit that asserts it', async () => {
    const staged = await createEvents({ 'stage-create': true })
    expect(staged['metadata-location']).toBeUndefined()
    expect((await world.call('tableExists', { path: events })).status).toBe(404)
    const metadata = staged['metadata'] as Record<string, Json>
    const create = {
      requirements: [{ type: 'assert-create' }],
      updates: [
        { action: 'assign-uuid', uuid: metadata['table-uuid'] ?? '' },
        { action: 'upgrade-format-version', 'format-version': 2 },
        { action: 'add-schema', schema: (metadata['schemas'] as Json[])[0] ?? null },
        { action: 'set-current-schema', 'schema-id': -1 },
        { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
        { action: 'set-location', location: metadata['location'] ?? '' },
        { action: 'add-snapshot', snapshot: snapshot(7, 1) },
        { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 7 },
      ],
    }
    const created = await world.call('updateTable', { path: events, body: create })
    expect(created.status).toBe(200)
    expect((created.body['metadata'] as Record<string, Json>)['table-uuid']).toBe(metadata['table-uuid'])
    expect((await world.call('updateTable', { path: events, body: create })).status).toBe(409)
  })

  test('answers 304 to its ETag, one per representation', async () => {
    await createEvents()
    await world.call('updateTable', { path: events, body: append(1, 1) })
    await world.call('updateTable', { path: events, body: append(2, 2, 1) })
    const all = await world.call('loadTable', { path: events })
    const refs = await world.call('loadTable', { path: events, query: { snapshots: 'refs' } })
    expect(all.headers['etag']).not.toBe(refs.headers['etag'])
    const referenced = refs.body['metadata'] as Record<string, Json>
    expect(referenced['snapshots']).toHaveLength(1)
    expect(referenced['snapshot-log']).toEqual([{ 'timestamp-ms': 1_700_000_100_002, 'snapshot-id': 2 }])
    const again = await world.call('loadTable', { path: events, headers: { 'if-none-match': all.headers['etag'] ?? '' } })
    expect([again.status, again.body]).toEqual([304, {}])
    const committed = await world.call('updateTable', { path: events, body: append(3, 3, 2) })
    expect((await world.call('loadTable', { path: events, headers: { 'if-none-match': all.headers['etag'] ?? '' } })).status).toBe(200)
    expect((await world.call('loadTable', { path: events, headers: { 'if-none-match': committed.headers['etag'] ?? '' } })).status).toBe(304)
  })

  test('refuses what it does not know, and who does not own the warehouse', async () => {
    await createEvents()
    const unknownUpdate = await world.call('updateTable', { path: events, body: { requirements: [], updates: [{ action: 'fly' }] } })
    expect([unknownUpdate.status, unknownUpdate.errorType]).toEqual([400, 'BadRequestException'])
    const unknownRequirement = await world.call('updateTable', { path: events, body: { requirements: [{ type: 'assert-weather' }], updates: [] } })
    expect(unknownRequirement.status).toBe(400)
    expect((await world.call('loadTable', { path: events, caller: stranger })).errorType).toBe('ForbiddenException')
    expect((await world.call('listTables', { path: { prefix: 'sea', namespace: 'db' } })).errorType).toBe('NoSuchWarehouseException')
    const outside = await world.call('createTable', { path: ns, body: { name: 'x', schema: simpleSchema, location: 's3://elsewhere/x' } })
    expect(outside.status).toBe(400)
  })

  test('a transaction over several tables is all or nothing', async () => {
    await createEvents()
    await world.call('createTable', { path: ns, body: { name: 'users', schema: simpleSchema } })
    const change = (name: string, commit: Json): Json => ({ identifier: { namespace: ['db'], name }, ...(commit as Record<string, Json>) })
    const both = { 'table-changes': [change('events', append(1, 1)), change('users', append(2, 1))] }
    expect((await world.call('commitTransaction', { body: both })).status).toBe(204)
    const half = { 'table-changes': [change('events', append(3, 2, 1)), change('users', append(4, 2, 99))] }
    expect((await world.call('commitTransaction', { body: half })).status).toBe(409)
    const loaded = await world.call('loadTable', { path: events })
    expect((loaded.body['metadata'] as Record<string, Json>)['current-snapshot-id']).toBe(1)
  })

  test('a repeated request under its Idempotency-Key has no further effect', async () => {
    await createEvents()
    const headers = { 'idempotency-key': '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }
    const first = await world.call('updateTable', { path: events, body: append(1, 1), headers })
    const second = await world.call('updateTable', { path: events, body: append(1, 1), headers })
    expect(second).toEqual(first)
    const other = await world.call('updateTable', { path: events, body: append(2, 2, 1), headers })
    expect(other.status).toBe(422)
    const failing = { 'idempotency-key': '017f22e2-79b0-7cc3-98c4-dc0c0c073990' }
    expect((await world.call('updateTable', { path: events, body: append(3, 2, 77), headers: failing })).status).toBe(409)
    await world.call('updateTable', { path: events, body: append(77, 2, 1) })
    expect((await world.call('updateTable', { path: events, body: append(3, 2, 77), headers: failing })).status).toBe(409)
    world.clock.ms += 10_000_000
    expect(await world.catalog.maintain()).toMatchObject({ expiredRecords: 2 })
    expect((await world.call('updateTable', { path: events, body: append(3, 3, 77), headers: failing })).status).toBe(200)
  })
})

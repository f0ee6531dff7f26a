import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CatalogStore, CatalogTransaction } from './catalog-store.ts'
import type { Json } from './json/json.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'
import { simpleSchema, testCatalog, type TestCatalog } from './testing.ts'

/**
 * Commits of many clients, interleaved at random, against a sequential model: the commits that were
 * acknowledged, applied one after the other in some order, must explain everything that is seen.
 */

/** A store whose every read lets others go first, as the scheduler decides. */
function interleaved(inner: CatalogStore, scheduler: fc.Scheduler, scheduled: { on: boolean }): CatalogStore {
  const wait = <T>(value: T): Promise<T> => (scheduled.on ? scheduler.schedule(Promise.resolve(value)) : Promise.resolve(value))
  return {
    get: (key) => inner.get(key),
    list: (range) => inner.list(range),
    readParts: (location) => inner.readParts(location),
    readRange: (location, range) => inner.readRange(location, range),
    readFile: (location) => inner.readFile(location),
    fileExists: (location) => inner.fileExists(location),
    transact: (body) =>
      inner.transact(async (tx) => {
        const slow: CatalogTransaction = {
          get: async (key) => wait(await tx.get(key)),
          list: async (range) => wait(await tx.list(range)),
          requireEmpty: (range) => tx.requireEmpty(range),
          put: (key, value) => tx.put(key, value),
          delete: (key) => tx.delete(key),
          putFile: (...put) => tx.putFile(...put),
          putParts: (...put) => tx.putParts(...put),
          pinFile: (location) => tx.pinFile(location),
          unpinFile: (location) => tx.unpinFile(location),
          deleteFile: (location) => tx.deleteFile(location),
          emit: (event) => tx.emit(event),
        }
        return body(slow)
      }),
  }
}

type Action =
  /** Appends to one table, on what its client saw last; `blind` asserts nothing. */
  | { readonly kind: 'append'; readonly table: number; readonly blind: boolean }
  /** Appends to both tables in one transaction, asserting both. */
  | { readonly kind: 'both' }
  /** Sets a property of its own. */
  | { readonly kind: 'property'; readonly table: number }

const anAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), table: fc.integer({ min: 0, max: 1 }), blind: fc.boolean() }),
  fc.constant({ kind: 'both' as const }),
  fc.record({ kind: fc.constant('property' as const), table: fc.integer({ min: 0, max: 1 }) }),
)

const tables = ['left', 'right'] as const
const path = (table: number): Record<string, string> => ({ namespace: 'db', table: tables[table] ?? '' })

interface Metadata {
  readonly 'current-snapshot-id': number
  readonly 'last-sequence-number': number
  readonly properties: Readonly<Record<string, string>>
  readonly snapshots: readonly { readonly 'snapshot-id': number; readonly 'parent-snapshot-id'?: number }[]
  readonly 'snapshot-log': readonly { readonly 'snapshot-id': number }[]
}

async function load(world: TestCatalog, table: number): Promise<Metadata> {
  return (await world.call('loadTable', { path: path(table) })).body['metadata'] as unknown as Metadata
}

function append(seen: Metadata, id: number, blind: boolean): { requirements: Json[]; updates: Json[] } {
  const parent = seen['current-snapshot-id'] === -1 ? undefined : seen['current-snapshot-id']
  const snapshot = {
    'snapshot-id': id,
    ...(parent !== undefined && { 'parent-snapshot-id': parent }),
    'sequence-number': seen['last-sequence-number'] + 1,
    'timestamp-ms': 1_700_000_000_000 + id,
    'manifest-list': `s3://lake/${id}.avro`,
    summary: { operation: 'append' },
  }
  return {
    requirements: blind ? [] : [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parent ?? null }],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  }
}

/** Runs an action from what its client sees now. Resolves to what was acknowledged: table and snapshot id (or property). */
async function act(world: TestCatalog, action: Action, id: number): Promise<readonly (readonly [number, number])[]> {
  switch (action.kind) {
    case 'append': {
      const { status } = await world.call('updateTable', { path: path(action.table), body: append(await load(world, action.table), id, action.blind) })
      expect([200, 409]).toContain(status)
      return status === 200 ? [[action.table, id]] : []
    }
    case 'both': {
      const seen = [await load(world, 0), await load(world, 1)]
      const changes = seen.map((metadata, table) => ({ identifier: { namespace: ['db'], name: tables[table] ?? '' }, ...append(metadata, id, false) }))
      const { status } = await world.call('commitTransaction', { body: { 'table-changes': changes } })
      expect([204, 409]).toContain(status)
      return status === 204 ? [[0, id], [1, id]] : []
    }
    case 'property': {
      const updates = [{ action: 'set-properties', updates: { [`p${id}`]: 'set' } }]
      expect((await world.call('updateTable', { path: path(action.table), body: { requirements: [], updates } })).status).toBe(200)
      return []
    }
  }
}

test('acknowledged commits are all there, once, in one order; refused ones have left nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(anAction, { minLength: 2, maxLength: 12 }), async (scheduler, actions) => {
      const store = new MemoryCatalogStore(['lake'])
      const setup = await testCatalog(store)
      await setup.call('createNamespace', { body: { namespace: ['db'] } })
      for (const name of tables) await setup.call('createTable', { path: { namespace: 'db' }, body: { name, schema: simpleSchema } })
      const filesBefore = store.fileLocations.length
      const scheduled = { on: false }
      const world = await testCatalog(interleaved(store, scheduler, scheduled), 'clients')
      scheduled.on = true
      const running = Promise.all(actions.map((action, index) => act(world, action, index + 1)))
      const acknowledged = (await scheduler.waitFor(running)).flat()
      scheduled.on = false
      for (const table of [0, 1]) {
        const metadata = await load(setup, table)
        const ids = metadata['snapshot-log'].map((entry) => entry['snapshot-id'])
        expect([...ids].sort((a, b) => a - b)).toEqual(acknowledged.filter(([where]) => where === table).map(([, id]) => id).sort((a, b) => a - b))
        expect(metadata['current-snapshot-id']).toBe(ids.at(-1) ?? -1)
        const asserted = metadata.snapshots.filter((snapshot) => !isBlind(actions[snapshot['snapshot-id'] - 1]))
        for (const snapshot of asserted) expect(snapshot['parent-snapshot-id']).toBe(ids[ids.indexOf(snapshot['snapshot-id']) - 1])
        const properties = actions.flatMap((action, index) => (action.kind === 'property' && action.table === table ? [`p${index + 1}`] : []))
        expect(Object.keys(metadata.properties)).toEqual(expect.arrayContaining(properties))
      }
      const commits = acknowledged.length + actions.filter((action) => action.kind === 'property').length
      expect(store.fileLocations.length - filesBefore).toBe(commits)
    }),
    { numRuns: 60 },
  )
})

function isBlind(action: Action | undefined): boolean {
  return action?.kind === 'append' && action.blind
}

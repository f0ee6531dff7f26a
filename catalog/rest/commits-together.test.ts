import { describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { parseJsonBytes } from '../json/parse.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, testCatalog, withOwn, type TestAnswer, type TestCatalog } from '../testing.ts'

const table = { path: { namespace: 'db', table: 't' } }

async function open(settings = {}) {
  const memory = new MemoryCatalogStore(['lake'])
  const counts = { transactions: 0 }
  const store = withOwn(memory, {
    transact(body) {
      counts.transactions++
      return memory.transact(body)
    },
  } as Partial<MemoryCatalogStore>)
  const catalog = await testCatalog(store, 'test', settings)
  await catalog.call('createNamespace', { body: { namespace: ['db'] } })
  await catalog.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
  return { ...catalog, memory, counts }
}

let sequence = 0

function append(id: number, requirements: readonly Json[] = []): Json {
  const snapshot = { 'snapshot-id': id, 'sequence-number': ++sequence, 'timestamp-ms': 1_700_000_000_000 + id, 'manifest-list': `s3://lake/${id}.avro`, summary: { operation: 'append', text: 'x'.repeat(100) } }
  return { requirements, updates: [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }] }
}

const commit = (world: TestCatalog, body: Json, key?: string): Promise<TestAnswer> =>
  world.call('updateTable', { ...table, body, headers: key === undefined ? {} : { 'idempotency-key': key } })

interface Metadata {
  readonly snapshots: readonly { readonly 'snapshot-id': number }[]
  readonly 'metadata-log': readonly { readonly 'metadata-file': string }[]
}

const metadataOf = ({ body }: TestAnswer): Metadata => body['metadata'] as unknown as Metadata
const idsOf = (answer: TestAnswer): number[] => metadataOf(answer).snapshots.map((snapshot) => snapshot['snapshot-id'])
const locationOf = ({ body }: TestAnswer): string => body['metadata-location'] as string

describe('commits to one table at once', () => {
  test('share a transaction; each has a file, an event and an answer of its own, in the order of asking', async () => {
    const world = await open({ ownListBytes: 1_500 })
    const { memory, counts } = world
    let ids: number[] = []
    for (let round = 0; round < 4; round++) {
      const before = { transactions: counts.transactions, events: memory.events.length }
      const wanted = Array.from({ length: 20 }, (_, index) => round * 100 + index)
      const answers = await Promise.all(wanted.map((id) => commit(world, append(id))))
      expect(answers.map(({ status }) => status)).toEqual(wanted.map(() => 200))
      // All of them, or all but the first.
      expect(counts.transactions - before.transactions).toBeLessThanOrEqual(2)
      const locations = answers.map(locationOf)
      expect(new Set(locations).size).toBe(20)
      for (const [index, answer] of answers.entries()) {
        expect(idsOf(answer)).toEqual([...ids, ...wanted.slice(0, index + 1)])
        expect(parseJsonBytes(await memory.readFile(locations[index] ?? ''))).toEqual(answer.body['metadata'])
        expect(memory.isPinned(locations[index] ?? '')).toBe(index === 19)
        expect(metadataOf(answer)['metadata-log'].at(-1)?.['metadata-file']).toBe(index === 0 ? metadataOf(answer)['metadata-log'].at(-1)?.['metadata-file'] : locations[index - 1])
      }
      ids = [...ids, ...wanted]
      const events = memory.events.slice(before.events).filter(({ type }) => type === 'iceberg:CommitTable')
      expect(events.map(({ detail }) => (detail as { metadataLocation: string }).metadataLocation)).toEqual(locations)
      // Another worker, which has nothing in memory, finds the same.
      const other = await testCatalog(memory, 'other')
      expect(idsOf(await other.call('loadTable', table))).toEqual(ids)
    }
  })

  test('one that fails leaves the others as they are', async () => {
    const world = await open()
    const stale = { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 999 }
    const fresh = { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 3 }
    const bodies = [append(1), append(2), append(90, [stale]), append(3), append(4, [fresh]), { requirements: [], updates: [{ action: 'set-snapshot-ref', 'ref-name': 'x', type: 'tag', 'snapshot-id': 77 }] }, { updates: [{ action: 'make-coffee' }] }, append(5)]
    const answers = await Promise.all(bodies.map((body) => commit(world, body)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409, 200, 200, 400, 400, 200])
    expect(idsOf(await world.call('loadTable', table))).toEqual([1, 2, 3, 4, 5])
    expect(world.counts.transactions).toBeLessThan(8)
  })

  test('idempotency keys are each their own, and one that comes twice at once is carried out once', async () => {
    const world = await open()
    const keyOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    const bodies = [1, 2, 3, 4, 4, 5].map((id) => [id, append(id)] as const)
    const same = bodies[3]?.[1] ?? {}
    const answers = await Promise.all(bodies.map(([id, body]) => commit(world, id === 4 ? same : body, keyOf(id))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
    expect(answers.slice(3, 5).map(locationOf)).toEqual([locationOf(answers[3] as TestAnswer), locationOf(answers[3] as TestAnswer)])
    const again = await Promise.all([1, 2, 3, 4].map((id) => commit(world, bodies.find(([other]) => other === id)?.[1] ?? {}, keyOf(id))))
    expect(again.map(locationOf)).toEqual(answers.slice(0, 4).map(locationOf))
    const others = await Promise.all([1, 2, 3].map((id) => commit(world, append(100 + id), keyOf(id))))
    expect(others.map(({ status }) => status)).toEqual([422, 422, 422])
    expect(idsOf(await world.call('loadTable', table))).toEqual([1, 2, 3, 4, 5])
  })

  test('a table that deletes the files that leave its log keeps exactly those that it names', async () => {
    const world = await open()
    await commit(world, { requirements: [], updates: [{ action: 'set-properties', updates: { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '3' } }] })
    await Promise.all(Array.from({ length: 12 }, (_, index) => commit(world, append(index + 1))))
    const loaded = await world.call('loadTable', table)
    const named = [...metadataOf(loaded)['metadata-log'].map((entry) => entry['metadata-file']), locationOf(loaded)]
    expect(named.length).toBe(4)
    expect(world.memory.fileLocations).toEqual(named.toSorted())
  })

  test('a table that is not there is 404 for each', async () => {
    const world = await open()
    const answers = await Promise.all([1, 2, 3].map((id) => world.call('updateTable', { path: { namespace: 'db', table: 'nothing' }, body: append(id) })))
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
  })
})

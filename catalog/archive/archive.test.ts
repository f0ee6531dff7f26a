import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CatalogStore } from '../catalog-store.ts'
import { int64Of, type Int64, type Json } from '../json/json.ts'
import { parseJson, parseJsonBytes } from '../json/parse.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, TestClock, testCatalog, type TestAnswer } from '../testing.ts'

/**
 * The same commits to two catalogs: one keeps the lists whole, the other archives what it can, over
 * two workers with memories of their own. Whatever can be seen of the two must be equal.
 */

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly toBranch: boolean; readonly text: string }
  | { readonly kind: 'appendAgain'; readonly which: number }
  | { readonly kind: 'ref'; readonly name: string; readonly type: 'branch' | 'tag'; readonly which: number }
  | { readonly kind: 'refToNothing' }
  | { readonly kind: 'removeRef'; readonly name: string }
  | { readonly kind: 'rollback'; readonly which: number }
  | { readonly kind: 'expireOldest'; readonly count: number }
  | { readonly kind: 'remove'; readonly which: readonly number[] }
  | { readonly kind: 'replaceOldest'; readonly count: number }
  | { readonly kind: 'properties' }
  | { readonly kind: 'loggedFiles'; readonly max: number; readonly deletes: boolean }

const aName = fc.constantFrom('v1', 'v2', 'audit')
const anIndex = fc.nat(200)
/** What a careless reader would take for the end of an item, or for its id. */
const aText = fc.constantFrom('plain', '"snapshot-id":5,', '\n},{\n', 'grün \u2028 "', '\\"snapshot-id\\":77', 'x'.repeat(2500))
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 12 }), toBranch: fc.boolean(), text: aText }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('appendAgain' as const), which: anIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ref' as const), name: aName, type: fc.constantFrom('branch' as const, 'tag' as const), which: anIndex }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'refToNothing' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeRef' as const), name: aName }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), which: anIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expireOldest' as const), count: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.array(anIndex, { minLength: 1, maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replaceOldest' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'properties' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loggedFiles' as const), max: fc.integer({ min: 0, max: 12 }), deletes: fc.boolean() }) },
)

const table = { path: { namespace: 'db', table: 't' } }
const nothingId = 424242n

/** The ids of the table's snapshots, and the ones it has had. */
class History {
  ids: Int64[] = []
  sequence = 0

  snapshot(text: string): { readonly id: Int64; readonly json: Json } {
    const number = ++this.sequence
    // Ids of 64 bits, safe ones, small ones and negative ones.
    const id = int64Of(BigInt.asIntN(64, BigInt(number) * ([0x9e3779b97f4a7c15n, 1n, 1_000_003n, -77_777n][number % 4] ?? 1n)))
    const summary = { operation: 'append', text, n: String(number), 'snapshot-id': '9' }
    const parent = this.ids.at(-1)
    return {
      id,
      json: {
        'snapshot-id': id, ...(parent !== undefined && { 'parent-snapshot-id': parent }), 'sequence-number': number,
        'timestamp-ms': 1_700_000_000_000 + number, 'manifest-list': `s3://lake/m${number}.avro`, summary, 'schema-id': 0,
      },
    }
  }

  pick(which: number): Int64 {
    return this.ids[which % Math.max(1, this.ids.length)] ?? Number(nothingId)
  }

  updates(step: Step): Json[] {
    const setRef = (name: string, id: Int64, type = 'branch'): Json => ({ action: 'set-snapshot-ref', 'ref-name': name, type, 'snapshot-id': id })
    const append = (count: number, text: string): { readonly id: Int64; readonly json: Json }[] => Array.from({ length: count }, () => this.snapshot(text))
    const added = (snapshots: readonly { readonly json: Json }[]): Json[] => snapshots.map(({ json }) => ({ action: 'add-snapshot', snapshot: json }))
    switch (step.kind) {
      case 'append': {
        const snapshots = append(step.count, step.text)
        return snapshots.flatMap((snapshot) => [...added([snapshot]), setRef(step.toBranch ? 'audit' : 'main', snapshot.id)])
      }
      case 'appendAgain':
        return [{ action: 'add-snapshot', snapshot: { ...(this.snapshot('again').json as object), 'snapshot-id': this.pick(step.which) } }]
      case 'ref':
        return [setRef(step.name, this.pick(step.which), step.type)]
      case 'refToNothing':
        return [setRef('v1', nothingId)]
      case 'removeRef':
        return [{ action: 'remove-snapshot-ref', 'ref-name': step.name }]
      case 'rollback':
        return [setRef('main', this.pick(step.which))]
      case 'expireOldest':
        return [{ action: 'remove-snapshots', 'snapshot-ids': this.ids.slice(0, step.count) }]
      case 'remove':
        return [{ action: 'remove-snapshots', 'snapshot-ids': [...new Set(step.which.map((which) => this.pick(which)))] }]
      case 'replaceOldest': {
        const [snapshot] = append(1, 'replaced')
        return [{ action: 'remove-snapshots', 'snapshot-ids': this.ids.slice(0, step.count) }, ...added(snapshot === undefined ? [] : [snapshot]), ...(snapshot === undefined ? [] : [setRef('main', snapshot.id)])]
      }
      case 'properties':
        return [{ action: 'set-properties', updates: { n: String(this.sequence) } }]
      case 'loggedFiles':
        return [{ action: 'set-properties', updates: { 'write.metadata.previous-versions-max': String(step.max), 'write.metadata.delete-after-commit.enabled': String(step.deletes) } }]
    }
  }
}

async function open(store: CatalogStore, ownListBytes: number) {
  const clock = new TestClock()
  const catalogs = [await testCatalog(store, 'a', { ownListBytes }, clock), await testCatalog(store, 'b', { ownListBytes }, clock)] as const
  const [first] = catalogs
  await first.call('createNamespace', { body: { namespace: ['db'] } })
  await first.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
  return catalogs
}

function seen({ status, body }: TestAnswer): unknown {
  return { status, body }
}

async function expectSameCommits(steps: readonly (readonly [step: Step, worker: 0 | 1])[], ownListBytes: number): Promise<void> {
  const stores = [new MemoryCatalogStore(['lake']), new MemoryCatalogStore(['lake'])] as const
  const whole = await open(stores[0], Number.MAX_SAFE_INTEGER)
  const archiving = await open(stores[1], ownListBytes)
  const history = new History()
  for (const [step, worker] of steps) {
    const body = { requirements: [], updates: history.updates(step) }
    const expected = await whole[worker].call('updateTable', { ...table, body })
    const actual = await archiving[worker].call('updateTable', { ...table, body })
    expect(seen(actual)).toEqual(seen(expected))
    const refs = { ...table, query: { snapshots: 'refs' } }
    expect(seen(await archiving[worker].call('loadTable', refs))).toEqual(seen(await whole[worker].call('loadTable', refs)))
    const loaded = await whole[worker].call('loadTable', table)
    expect(seen(await archiving[1 - worker === 0 ? 0 : 1].call('loadTable', table))).toEqual(seen(loaded))
    const metadata = loaded.body['metadata'] as { readonly snapshots: readonly { readonly 'snapshot-id': Int64 }[] }
    history.ids = metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])
    const location = loaded.body['metadata-location'] as string
    expect(stores[1].fileLocations).toEqual(stores[0].fileLocations)
    expect(parseJsonBytes(await stores[1].readFile(location))).toEqual(metadata)
  }
}

describe('archived snapshots and log entries', () => {
  test('any commits over any worker give the metadata that whole lists give', async () => {
    const aRun = fc.array(fc.tuple(aStep, fc.constantFrom(0 as const, 1 as const)), { minLength: 5, maxLength: 40 })
    await fc.assert(fc.asyncProperty(aRun, fc.constantFrom(150, 400, 1500), expectSameCommits), { numRuns: 60 })
  }, 120_000)

  test('the cost of a commit does not grow: bytes of its own and parts', async () => {
    const store = new MemoryCatalogStore(['lake'])
    const [catalog] = await open(store, 3000)
    const history = new History()
    const own: number[] = []
    for (let n = 0; n < 300; n++) {
      const body = { requirements: [], updates: history.updates({ kind: 'append', count: 1, toBranch: false, text: 'plain' }) }
      const { body: answer } = await catalog.call('updateTable', { ...table, body })
      const parts = await store.readParts(answer['metadata-location'] as string)
      own.push(parts.reduce((sum, part) => sum + (part.kind === 'own' ? part.bytes.length : 0), 0))
      history.ids = [history.ids, (answer['metadata'] as { readonly 'current-snapshot-id': Int64 })['current-snapshot-id']].flat()
      expect(parts.length).toBeLessThanOrEqual(7)
    }
    // The log of metadata files has its 100 entries from the middle on.
    expect(Math.max(...own.slice(200))).toBeLessThan(1.4 * Math.max(...own.slice(100, 200)))
    expect(Math.max(...own)).toBeLessThan(8_000)
  })

  test('a history in too many runs is written anew', async () => {
    const store = new MemoryCatalogStore(['lake'])
    const [catalog] = await open(store, 1000)
    const history = new History()
    const commit = async (updates: readonly Json[]): Promise<Record<string, Json>> => {
      const { status, body } = await catalog.call('updateTable', { ...table, body: { requirements: [], updates } })
      expect(status).toBe(200)
      const metadata = body['metadata'] as { readonly snapshots: readonly { readonly 'snapshot-id': Int64 }[] }
      history.ids = metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])
      expect(parseJsonBytes(await store.readFile(body['metadata-location'] as string))).toEqual(metadata)
      return body
    }
    const runsOf = async (body: Record<string, Json>): Promise<number> =>
      (await store.readParts(body['metadata-location'] as string)).filter((part) => part.kind === 'shared').length
    for (let n = 0; n < 20; n++) await commit(history.updates({ kind: 'append', count: 10, toBranch: false, text: 'plain' }))
    const odd = history.ids.slice(0, -10).filter((_, index) => index % 2 === 1)
    const worn = await commit([{ action: 'remove-snapshots', 'snapshot-ids': odd }])
    expect(await runsOf(worn)).toBeGreaterThan(64)
    const renewed = await commit([{ action: 'set-properties', updates: { a: 'b' } }])
    expect(await runsOf(renewed)).toBeLessThanOrEqual(2)
    expect((renewed['metadata'] as { readonly snapshots: unknown }).snapshots).toEqual((worn['metadata'] as { readonly snapshots: unknown }).snapshots)
    expect(history.ids.length).toBe(200 - odd.length)
  })

  test('a file of another writer is read as it is, and archived with the next commit', async () => {
    const store = new MemoryCatalogStore(['lake'])
    const [catalog, other] = await open(store, 2000)
    const history = new History()
    await catalog.call('updateTable', { ...table, body: { requirements: [], updates: history.updates({ kind: 'append', count: 40, toBranch: false, text: 'x' }) } })
    const { body } = await catalog.call('loadTable', table)
    const pretty = JSON.stringify(parseJson(Buffer.from(await store.readFile(body['metadata-location'] as string)).toString()), (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value), 2)
    const location = 's3://lake/db/t/metadata/foreign.metadata.json'
    store.writeFile(location, Buffer.from(pretty))
    await other.call('registerTable', { path: { namespace: 'db' }, body: { name: 't', 'metadata-location': location, overwrite: true } })
    expect((await store.readParts(location)).length).toBe(1)
    const after = await catalog.call('updateTable', { ...table, body: { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] } })
    expect((await store.readParts(after.body['metadata-location'] as string)).filter((part) => part.kind === 'shared').length).toBe(1)
    expect((after.body['metadata'] as { readonly snapshots: readonly Json[] }).snapshots.length).toBe(40)
  })
})

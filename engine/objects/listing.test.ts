import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { must } from '../../base/assert.ts'
import type { Engine, ListObjects, ObjectListing, VersionListing } from '../engine.ts'
import { keyRow, tables } from '../keys.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { openEngine } from '../open-engine.ts'
import { memoryEngine, owner, put } from './test-engine.ts'

const bucket = 'bucket'

interface NaiveInput {
  readonly prefix?: string | undefined
  readonly delimiter?: string | undefined
  readonly after?: string | undefined
}

/** The documented result, computed from all names at once. */
function naiveListing(keys: readonly string[], { prefix = '', delimiter, after }: NaiveInput): string[] {
  const names = new Set<string>()
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length)
    names.add(at === -1 ? `key ${key}` : `prefix ${key.slice(0, at + (delimiter ?? '').length)}`)
  }
  const nameOf = (entry: string) => entry.slice(entry.indexOf(' ') + 1)
  return [...names].filter((entry) => after === undefined || byBytes(nameOf(entry), after) > 0).sort((a, b) => byBytes(nameOf(a), nameOf(b)))
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function namesIn({ entries }: ObjectListing | VersionListing): string[] {
  return entries.map((entry) => (entry.kind === 'commonPrefix' ? `prefix ${entry.prefix}` : `key ${entry.key}`))
}

function lastNameOf(listing: ObjectListing): string | undefined {
  const last = listing.entries[listing.entries.length - 1]
  return last === undefined ? undefined : last.kind === 'commonPrefix' ? last.prefix : last.key
}

/** Absent members instead of undefined ones. */
function present<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}

async function pagesOf(engine: Engine, input: Omit<ListObjects, 'bucket'>): Promise<string[]> {
  const names: string[] = []
  for (let after = input.after; ; ) {
    const page = await engine.listObjects({ ...input, bucket, ...(after === undefined ? {} : { after }) })
    expect(page.entries.length).toBeLessThanOrEqual(input.limit)
    names.push(...namesIn(page))
    if (!page.truncated) return names
    expect(page.entries.length).toBe(input.limit)
    after = lastNameOf(page)
  }
}

/** Few letters, so that prefixes, delimiters and neighbours meet often; some outside ASCII and the BMP. */
const text = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', '\0', '\uffee', '\u{10400}'), maxLength })
const keys = fc.uniqueArray(
  text(6).filter((key) => key !== ''),
  { maxLength: 40 },
)
const query = fc.record({
  prefix: fc.option(text(2), { nil: undefined }),
  delimiter: fc.option(fc.constantFrom('/', 'a', '/-', '\u{10400}', 'ab'), { nil: undefined }),
  after: fc.option(text(4), { nil: undefined }),
})

describe('ListObjects', () => {
  it('lists what the documentation says, in pages of any size', async () => {
    const check = async (names: string[], input: NaiveInput, limit: number) => {
      const { engine } = memoryEngine()
      await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
      await Promise.all(names.map((key) => put(engine, key, '')))
      expect(await pagesOf(engine, { ...present(input), limit })).toEqual(naiveListing(names, input))
    }
    await fc.assert(fc.asyncProperty(keys, query, fc.integer({ min: 1, max: 12 }), check), { numRuns: 300 })
  })

  it('answers a limit of 0 with nothing and does not call it truncated', async () => {
    const { engine } = memoryEngine()
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    await put(engine, 'key', '')
    expect(await engine.listObjects({ bucket, limit: 0 })).toEqual({ entries: [], truncated: false })
    expect(await engine.listVersions({ bucket, limit: 0 })).toEqual({ entries: [], truncated: false })
  })

  it('accepts prefixes and markers longer than any key', async () => {
    const { engine } = memoryEngine()
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    await put(engine, 'k', '')
    expect((await engine.listObjects({ bucket, prefix: 'k'.repeat(5000), limit: 5 })).entries).toEqual([])
    expect(namesIn(await engine.listObjects({ bucket, after: 'a'.repeat(5000), limit: 5 }))).toEqual(['key k'])
  })

  it('hides keys whose latest version is a delete marker', async () => {
    const { engine } = memoryEngine()
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1', versioning: 'Enabled' })
    for (const key of ['a', 'b', 'c']) await put(engine, key, '')
    await engine.deleteObject({ bucket, key: 'b', ownerId: owner })
    expect(namesIn(await engine.listObjects({ bucket, limit: 10 }))).toEqual(['key a', 'key c'])
  })
})

/** Counts what listings ask of the store. */
function counting(store: MetadataStore) {
  const counted = { lists: 0, rows: 0 }
  const wrapped: MetadataStore = {
    get: (key) => store.get(key),
    walk: (walk) => store.walk(walk),
    commit: (commit) => store.commit(commit),
    close: () => store.close(),
    list: async (range) => {
      const rows = await store.list(range)
      counted.lists++
      counted.rows += rows.length
      return rows
    },
  }
  return { counted, wrapped }
}

describe('listings are seeks', () => {
  it('jumps over common prefixes, forwards and from markers', async () => {
    const { engine, metadata, blobs, clock, random } = memoryEngine()
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    await put(engine, 'a/', '')
    const { bucketId } = await engine.headBucket(bucket)
    const head = must(await metadata.get(keyRow(tables.object, bucketId, 'a/')), 'the object is there').value
    const names = Array.from({ length: 100_000 }, (_, index) => `${'abc'.charAt(index / 33_334)}/${index}`).sort(byBytes)
    const puts = names.map((key) => ({ key: keyRow(tables.object, bucketId, key), value: head }))
    await metadata.commit({ checks: [], puts, deletes: [], appends: [] })
    const { counted, wrapped } = counting(metadata)
    const listing = openEngine({ metadata: wrapped, blobs, clock, random })
    expect(namesIn(await listing.listObjects({ bucket, delimiter: '/', limit: 1000 }))).toEqual(['prefix a/', 'prefix b/', 'prefix c/'])
    expect(counted.rows).toBeLessThanOrEqual(64)
    expect(counted.lists).toBeLessThanOrEqual(4)

    counted.rows = counted.lists = 0
    expect(namesIn(await listing.listVersions({ bucket, delimiter: '/', keyMarker: 'a/', limit: 1000 }))).toEqual(['prefix b/', 'prefix c/'])
    expect(counted.rows).toBeLessThanOrEqual(64)

    counted.rows = counted.lists = 0
    expect((await listing.listObjects({ bucket, after: 'b/5', limit: 1000 })).entries.length).toBe(1000)
    expect(counted.rows).toBeLessThanOrEqual(1002)
    expect(counted.lists).toBeLessThanOrEqual(2)
  })
})

describe('ListObjectVersions', () => {
  type Change = { readonly key: string; readonly kind: 'put' | 'delete' | 'enable' | 'suspend' | 'deleteOne' }
  const changes = fc.array(
    fc.record({ key: fc.constantFrom('a', 'a/b', 'a/c', 'b', 'b\0'), kind: fc.constantFrom('put', 'put', 'put', 'delete', 'delete', 'enable', 'suspend', 'deleteOne') }),
    { maxLength: 40 },
  ) as fc.Arbitrary<Change[]>

  it('lists every version once, newest first, in pages of any size', async () => {
    const check = async (steps: Change[], prefix: string | undefined, delimiter: string | undefined, limit: number) => {
      const { engine, clock } = memoryEngine()
      await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
      const model = new Map<string, string[]>()
      for (const { key, kind } of steps) {
        clock.advance(1)
        await apply(engine, model, key, kind)
      }
      const expected = [...model].sort(([a], [b]) => byBytes(a, b)).flatMap(([key, ids]) => ids.map((id) => `${key} ${id}`))
      expect(await versionPages(engine, { limit })).toEqual(expected)
      const grouped = present({ prefix, delimiter })
      const naive = naiveListing([...model.keys()].filter((key) => model.get(key)?.length !== 0), grouped)
      const listed = await versionPages(engine, { limit, ...grouped })
      expect([...new Set(listed.map((entry) => (entry.includes(' ') ? `key ${entry.slice(0, entry.indexOf(' '))}` : `prefix ${entry}`)))]).toEqual(naive)
    }
    const prefixes = fc.option(fc.constantFrom('a', 'a/', 'b'), { nil: undefined })
    const delimiters = fc.option(fc.constantFrom('/', 'c'), { nil: undefined })
    await fc.assert(fc.asyncProperty(changes, prefixes, delimiters, fc.integer({ min: 1, max: 5 }), check), { numRuns: 200 })
  })

  async function apply(engine: Engine, model: Map<string, string[]>, key: string, kind: Change['kind']): Promise<void> {
    const ids = model.get(key) ?? []
    model.set(key, ids)
    if (kind === 'enable') return engine.setVersioning(bucket, 'Enabled')
    if (kind === 'suspend') return engine.setVersioning(bucket, 'Suspended')
    const [id] = ids.slice(Math.floor(ids.length / 2))
    if (kind === 'deleteOne') {
      if (id === undefined) return
      await engine.deleteObject({ bucket, key, versionId: id, ownerId: owner })
      return void model.set(key, ids.filter((other) => other !== id))
    }
    const added = kind === 'put' ? (await put(engine, key, 'x')).version.versionId : await markerOf(engine, key)
    const kept = ids.filter((other) => other !== 'null' || added !== 'null')
    model.set(key, added === undefined ? [] : [added, ...kept])
  }

  async function markerOf(engine: Engine, key: string): Promise<string | undefined> {
    const deleted = await engine.deleteObject({ bucket, key, ownerId: owner })
    return deleted.did === 'createdMarker' ? deleted.versionId : undefined
  }

  async function versionPages(engine: Engine, input: { limit: number; prefix?: string; delimiter?: string }): Promise<string[]> {
    const names: string[] = []
    let marker: { keyMarker?: string; versionIdMarker?: string } = {}
    for (;;) {
      const page = await engine.listVersions({ bucket, ...input, ...marker })
      for (const entry of page.entries) names.push(entry.kind === 'commonPrefix' ? entry.prefix : `${entry.key} ${entry.versionId}`)
      const last = page.entries[page.entries.length - 1]
      if (!page.truncated || last === undefined) return names
      marker = last.kind === 'commonPrefix' ? { keyMarker: last.prefix } : { keyMarker: last.key, versionIdMarker: last.versionId }
    }
  }
})

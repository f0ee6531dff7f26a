import { afterEach, describe, expect, test } from 'vitest'
import { must } from '../../base/assert.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { MiB } from '../../base/units.ts'
import { maxKeyBytes, maxValueBytes, MetadataError } from './metadata-store.ts'
import type { Commit, MetadataErrorCode, MetadataStore } from './metadata-store.ts'
import { transact } from './transact.ts'

export interface MetadataStoreHarness {
  /** A fresh, empty store. */
  readonly open: () => Promise<MetadataStore>
  /** Changes the stored bytes of a row behind the store's back; the store to go on with. */
  readonly tamper: (store: MetadataStore, key: Uint8Array, change: (stored: Buffer) => void) => Promise<MetadataStore>
  /** Takes a row away, or puts what was there before, behind the store's back, as a damaged page of a tree does. */
  readonly misplace: (store: MetadataStore, key: Uint8Array, stored: Buffer | undefined) => Promise<Buffer | undefined>
}

const none: Commit = { checks: [], puts: [], deletes: [], appends: [] }
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const put = (key: string, value = key): Commit => ({ ...none, puts: [{ key: bytes(key), value: bytes(value) }] })

/** The contract of `MetadataStore`: every implementation runs this. */
export function describeMetadataStore(name: string, harness: MetadataStoreHarness): void {
  describe(`${name}`, () => {
    const stores: MetadataStore[] = []
    const open = async (): Promise<MetadataStore> => {
      const store = await harness.open()
      stores.push(store)
      return store
    }
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
    })
    describe('commit', () => { describeCommit(open) })
    describe('list', () => { describeList(open) })
    describe('limits', () => { describeLimits(open) })
    const tamper: MetadataStoreHarness['tamper'] = async (store, key, change) => {
      const next = await harness.tamper(store, key, change)
      if (next !== store) stores.push(next)
      return next
    }
    describe('integrity', () => { describeIntegrity(open, tamper) })
    describe('walk', () => { describeWalk(open, harness) })
  })
}

type Open = () => Promise<MetadataStore>

async function versionOf(store: MetadataStore, commit: Commit): Promise<number> {
  const result = await store.commit(commit)
  if (!result.ok) throw new Error('the commit was refused')
  return result.version
}

async function textAt(store: MetadataStore, key: string): Promise<string | undefined> {
  return (await store.get(bytes(key)))?.value.toString('latin1')
}

async function keysIn(store: MetadataStore, start: string, end: string, options: { limit?: number; reverse?: boolean } = {}): Promise<string[]> {
  const rows = await store.list({ start: bytes(start), end: bytes(end), limit: 1000, ...options })
  return rows.map(({ key }) => key.toString('latin1'))
}

async function codeOf(promise: Promise<unknown>): Promise<MetadataErrorCode | 'no error'> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    if (error instanceof MetadataError) return error.code
    throw error
  }
}

function describeCommit(open: Open): void {
  test('puts, replaces and deletes; every row has the version of its commit', async () => {
    const store = await open()
    const first = await versionOf(store, { ...none, puts: [{ key: bytes('a'), value: bytes('1') }, { key: bytes('b'), value: bytes('2') }] })
    expect(first).toBeGreaterThan(0)
    expect(await store.get(bytes('a'))).toEqual({ value: bytes('1'), version: first })
    const second = await versionOf(store, { ...put('a', ''), deletes: [bytes('b'), bytes('never there')] })
    expect(second).toBeGreaterThan(first)
    expect(await store.get(bytes('a'))).toEqual({ value: bytes(''), version: second })
    expect(await store.get(bytes('b'))).toBeUndefined()
  })

  test('checks versions, absence and empty ranges; a refused commit changes nothing', async () => {
    const store = await open()
    const version = await versionOf(store, put('k'))
    const refusing: Commit['checks'][number][] = [
      { key: bytes('k'), version: undefined },
      { key: bytes('k'), version: version + 1 },
      { key: bytes('absent'), version },
      { empty: { start: bytes('k'), end: bytes('l') } },
      { empty: { start: bytes(''), end: bytes('k\0') } },
    ]
    for (const check of refusing) {
      const commit = { checks: [{ key: bytes('k'), version }, check], puts: put('k', 'changed').puts, deletes: [bytes('k')], appends: [{ prefix: bytes('k'), value: bytes('') }] }
      expect(await store.commit(commit)).toEqual({ ok: false })
    }
    expect(await keysIn(store, '', '\xff')).toEqual(['k'])
    expect(await textAt(store, 'k')).toBe('k')
    const holding: Commit['checks'] = [
      { key: bytes('k'), version },
      { key: bytes('absent'), version: undefined },
      { empty: { start: bytes(''), end: bytes('k') } },
      { empty: { start: bytes('k\0'), end: bytes('\xff') } },
      { empty: { start: bytes('z'), end: bytes('a') } },
    ]
    expect((await store.commit({ ...put('k', 'changed'), checks: holding })).ok).toBe(true)
    expect(await textAt(store, 'k')).toBe('changed')
  })

  test('appends are keyed by prefix, version and index, so that a cursor misses nothing', async () => {
    const store = await open()
    const append = (value: string): Commit['appends'][number] => ({ prefix: bytes('log/'), value: bytes(value) })
    const first = await versionOf(store, { ...none, appends: [append('a'), append('b')] })
    const versions = await Promise.all(['c', 'd', 'e'].map((value) => versionOf(store, { ...none, appends: [append(value)] })))
    const rows = await store.list({ start: bytes('log/'), end: bytes('log0'), limit: 100 })
    expect(rows.map(({ value }) => value.toString()).slice(0, 2)).toEqual(['a', 'b'])
    expect(rows.map(({ version }) => version)).toEqual([first, first, ...versions.toSorted((a, b) => a - b)])
    for (const [position, row] of rows.entries()) {
      expect(row.key.length).toBe(14)
      expect(Number(row.key.readBigUInt64BE(4))).toBe(row.version)
      expect(row.key.readUInt16BE(12)).toBe(position === 1 ? 1 : 0)
    }
  })

  test('versions grow in the order in which commits happened', async () => {
    const store = await open()
    let last = 0
    for (let i = 0; i < 20; i++) {
      const version = await versionOf(store, put('same', String(i)))
      expect(version).toBeGreaterThan(last)
      last = version
    }
    expect(await versionOf(store, none)).toBeGreaterThan(last)
  })

  test('concurrent counters lose nothing', async () => {
    const store = await open()
    const counters = ['x', 'y', 'z']
    const increment = (key: string): Promise<unknown> =>
      transact(store, async (tx) => {
        const before = Number((await tx.get(bytes(key)))?.toString() ?? 0)
        tx.put(bytes(key), bytes(String(before + 1)))
        tx.append(bytes(`log/${key}/`), bytes(String(before + 1)))
      })
    await Promise.all(Array.from({ length: 90 }, (_, i) => increment(must(counters[i % 3], 'a counter'))))
    for (const key of counters) {
      expect(await textAt(store, key)).toBe('30')
      const log = await store.list({ start: bytes(`log/${key}/`), end: bytes(`log/${key}0`), limit: 100 })
      expect(log.map(({ value }) => Number(value.toString()))).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    }
  })

  test('in one batch, a commit sees those before it and is refused with only its own changes', async () => {
    const store = await open()
    const taken = Array.from({ length: 10 }, (_, i) => store.commit({ ...put('only one', String(i)), checks: [{ key: bytes('only one'), version: undefined }] }))
    const results = await Promise.all(taken)
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
    expect(await textAt(store, 'only one')).toBe(String(results.findIndex(({ ok }) => ok)))
  })

  test('a commit is visible to every read that starts once it is acknowledged', async () => {
    const store = await open()
    const missed: string[] = []
    for (let i = 0; i < 20; i++) {
      const state: { acknowledged: boolean } = { acknowledged: false }
      const committing = store.commit(put(`k${i}`)).then(() => (state.acknowledged = true))
      for (let seen: string | undefined; seen === undefined; ) {
        const before = state.acknowledged
        seen = await textAt(store, `k${i}`)
        if (before && seen === undefined) missed.push(`k${i}`)
        if (seen === undefined) await new Promise(setImmediate)
      }
      await committing
    }
    expect(missed).toEqual([])
  })

  test('refuses everything once closed, after finishing what is under way', async () => {
    const store = await open()
    const under = [store.commit(put('a')), store.commit(put('b'))]
    await store.close()
    await store.close()
    for (const commit of under) expect((await commit).ok).toBe(true)
    expect(await codeOf(store.get(bytes('a')))).toBe('Closed')
    expect(await codeOf(store.commit(put('c')))).toBe('Closed')
    expect(await codeOf(store.list({ start: bytes('a'), end: bytes('b'), limit: 1 }))).toBe('Closed')
  })
}

function describeList(open: Open): void {
  test('is in bytewise order, whatever the bytes', async () => {
    const store = await open()
    const keys = ['\0', '\0\0', '\0\x01', '\x01', 'A', 'a', 'a\0', 'a\x01', 'aa', 'b', '\x7f', '\x80', '\xc3\xa9', '\xff', '\xff\0', '\xff\xff']
    await versionOf(store, { ...none, puts: keys.toReversed().map((key) => ({ key: bytes(key), value: bytes(key) })) })
    expect(await keysIn(store, '', '\xff\xff\xff')).toEqual(keys)
    expect(await keysIn(store, '', '\xff\xff\xff', { reverse: true })).toEqual(keys.toReversed())
  })

  test('starts inclusively, ends exclusively, both ways, and keeps its limit', async () => {
    const store = await open()
    await versionOf(store, { ...none, puts: ['a', 'b', 'c', 'd'].map((key) => ({ key: bytes(key), value: bytes(key) })) })
    expect(await keysIn(store, 'b', 'd')).toEqual(['b', 'c'])
    expect(await keysIn(store, 'b', 'd', { reverse: true })).toEqual(['c', 'b'])
    expect(await keysIn(store, 'a\0', 'c\0', { reverse: true })).toEqual(['c', 'b'])
    expect(await keysIn(store, 'b', 'd', { limit: 1 })).toEqual(['b'])
    expect(await keysIn(store, 'b', 'd', { limit: 1, reverse: true })).toEqual(['c'])
    expect(await keysIn(store, 'b', 'd', { limit: 0 })).toEqual([])
    expect(await keysIn(store, 'b', 'b')).toEqual([])
    expect(await keysIn(store, 'd', 'b')).toEqual([])
    expect(await keysIn(store, 'd', 'b', { reverse: true })).toEqual([])
    expect(await keysIn(store, 'e', 'f')).toEqual([])
    expect(await keysIn(store, '', '')).toEqual([])
    expect(await keysIn(store, '', 'b')).toEqual(['a'])
  })

  test('what it and get return is the caller\'s own, and stays', async () => {
    const store = await open()
    await versionOf(store, put('k', 'original'))
    await versionOf(store, put('l', 'x'.repeat(40_000)))
    const [first, second] = [await store.get(bytes('k')), await store.get(bytes('k'))]
    const rows = await store.list({ start: bytes('k'), end: bytes('m'), limit: 10 })
    first?.value.fill(0)
    await versionOf(store, put('k', 'replaced'))
    await store.list({ start: bytes('k'), end: bytes('m'), limit: 10 })
    expect(second?.value.toString()).toBe('original')
    expect(rows.map(({ key, value }) => [key.toString(), value.toString()])).toEqual([['k', 'original'], ['l', 'x'.repeat(40_000)]])
    rows[0]?.value.fill(0)
    rows[0]?.key.fill(0)
    expect(rows[1]?.value.toString()).toBe('x'.repeat(40_000))
    expect(await textAt(store, 'k')).toBe('replaced')
  })
}

function describeLimits(open: Open): void {
  test('keeps the longest keys and largest values, bounds beyond them included', async () => {
    const store = await open()
    const longest = Buffer.alloc(maxKeyBytes, 0xff)
    const large = Buffer.alloc(maxValueBytes, 'large')
    await versionOf(store, { ...none, puts: [{ key: longest, value: bytes('last') }, { key: bytes('large'), value: large }] })
    expect((await store.get(longest))?.value.toString()).toBe('last')
    expect((await store.get(bytes('large')))?.value.equals(large)).toBe(true)
    const beyond = Buffer.alloc(maxKeyBytes + 64, 0xff)
    const all = await store.list({ start: bytes(''), end: beyond, limit: 10 })
    expect(all.map(({ key }) => key.length)).toEqual([5, maxKeyBytes])
    const reversed = await store.list({ start: bytes(''), end: beyond, limit: 1, reverse: true })
    expect(reversed.map(({ key }) => key.equals(longest))).toEqual([true])
    expect(await store.list({ start: Buffer.concat([longest, bytes('\0')]), end: beyond, limit: 1 })).toEqual([])
  })

  test('refuses what is too large, changing nothing', async () => {
    const store = await open()
    const longKey = Buffer.alloc(maxKeyBytes + 1, 'k')
    const tooLarge: Commit[] = [
      { ...put('a'), puts: [...put('a').puts, { key: longKey, value: bytes('') }] },
      { ...put('a'), puts: [...put('a').puts, { key: bytes('b'), value: Buffer.alloc(maxValueBytes + 1) }] },
      { ...put('a'), deletes: [longKey] },
      { ...put('a'), checks: [{ key: longKey, version: undefined }] },
      { ...put('a'), appends: [{ prefix: longKey.subarray(0, maxKeyBytes - 9), value: bytes('') }] },
    ]
    for (const commit of tooLarge) expect(await codeOf(store.commit(commit))).toBe('TooLarge')
    expect(await codeOf(store.get(longKey))).toBe('TooLarge')
    expect(await keysIn(store, '', '\xff')).toEqual([])
    const longPrefix = longKey.subarray(0, maxKeyBytes - 10)
    await versionOf(store, { ...none, appends: [{ prefix: longPrefix, value: bytes('fits') }] })
    expect((await store.list({ start: longPrefix, end: bytes('l'), limit: 1 }))[0]?.key.length).toBe(maxKeyBytes)
  })

  test('many commits of many megabytes at once', async () => {
    const store = await open()
    const value = Buffer.alloc(2 * MiB, 'm')
    await Promise.all(Array.from({ length: 24 }, (_, i) => store.commit({ ...none, puts: [{ key: bytes(`m${String(i).padStart(2, '0')}`), value }] })))
    expect(await keysIn(store, 'm', 'n')).toHaveLength(24)
  })
}

/** The keys of a table, or why they are not known to be all. */
async function walked(store: MetadataStore, table: string): Promise<string[] | MetadataErrorCode> {
  const keys: string[] = []
  const code = await codeOf(store.walk({
    table: table.charCodeAt(0),
    onRows: (rows) => {
      keys.push(...rows.map(({ key }) => key.toString('latin1')))
    },
  }))
  return code === 'no error' ? keys : code
}

function describeWalk(open: Open, { misplace, tamper }: Pick<MetadataStoreHarness, 'misplace' | 'tamper'>): void {
  const numbered = (table: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${table}${String(index).padStart(5, '0')}`)

  test('meets all rows of a table in order, and no others', async () => {
    const store = await open()
    expect(await walked(store, 'b')).toEqual([])
    const keys = numbered('b', 700)
    await versionOf(store, { ...none, puts: ['a', 'c', 'c1', ...keys].map((key) => ({ key: bytes(key), value: bytes(key) })) })
    expect(await walked(store, 'b')).toEqual(keys)
    expect(await walked(store, 'c')).toEqual(['c', 'c1'])
  })

  test('holds after any commits: rows that are new, replaced, deleted, were never there, with checks and without', async () => {
    const store = await open()
    const random = new SeededRandom(5)
    const versions = new Map<string, number>()
    for (let round = 0; round < 60; round++) {
      const commits = Array.from({ length: random.integer(4) + 1 }, () => {
        const keys = [...new Set(Array.from({ length: random.integer(12) + 1 }, () => `t${random.integer(30)}`))]
        // Some checks are wrong, and their commits change nothing.
        const checks = keys.filter(() => random.chance(0.6)).map((key) => ({ key: bytes(key), version: random.chance(0.1) ? 1e9 : versions.get(key) }))
        const deletes = keys.filter(() => random.chance(0.3))
        const puts = keys.filter((key) => !deletes.includes(key) || random.chance(0.2))
        return { keys, deletes, puts, commit: { checks, deletes: deletes.map(bytes), puts: puts.map((key) => ({ key: bytes(key), value: bytes('v'.repeat(random.integer(5000))) })), appends: [{ prefix: bytes('e'), value: bytes('') }] } }
      })
      const results = await Promise.all(commits.map(({ commit }) => store.commit(commit)))
      for (const [at, result] of results.entries()) {
        if (!result.ok) continue
        for (const key of commits[at]?.deletes ?? []) versions.delete(key)
        for (const key of commits[at]?.puts ?? []) versions.set(key, result.version)
      }
      expect(await walked(store, 't')).toEqual([...versions.keys()].sort())
    }
    expect((await walked(store, 'e')).length).toBeGreaterThan(60)
  }, 30_000)

  test('sees one state, whatever is committed meanwhile', async () => {
    const store = await open()
    const keys = numbered('k', 600)
    await versionOf(store, { ...none, puts: keys.map((key) => ({ key: bytes(key), value: bytes('1') })) })
    const met: string[] = []
    await store.walk({
      table: 'k'.charCodeAt(0),
      onRows: async (rows) => {
        met.push(...rows.map(({ key, value }) => `${key.toString('latin1')}=${value.toString()}`))
        await versionOf(store, { ...none, puts: [{ key: bytes('k99999'), value: bytes('2') }, { key: bytes('k00599'), value: bytes('2') }], deletes: [bytes('k00598')] })
      },
    })
    expect(met).toEqual(keys.map((key) => `${key}=1`))
    expect(await walked(store, 'k')).toHaveLength(600)
  })

  test.each([['a row that is hidden', 'k2'], ['the first', 'k0'], ['the last', 'k4']])('finds %s, after commits on it too', async (_, hidden) => {
    const store = await open()
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'l']
    await versionOf(store, { ...none, puts: keys.map((key) => ({ key: bytes(key), value: bytes('1') })) })
    await misplace(store, bytes(hidden), undefined)
    expect(await textAt(store, hidden)).toBeUndefined()
    expect(await walked(store, 'k')).toBe('Corrupt')
    expect(await walked(store, 'l')).toEqual(['l'])
    await versionOf(store, put(hidden, 'anew'))
    expect(await walked(store, 'k')).toBe('Corrupt')
    await versionOf(store, { ...none, deletes: [bytes(hidden)] })
    expect(await walked(store, 'k')).toBe('Corrupt')
  })

  test('finds an older row in the place of a newer one, and one that was deleted', async () => {
    const store = await open()
    await versionOf(store, { ...none, puts: ['k1', 'k2'].map((key) => ({ key: bytes(key), value: bytes('1') })) })
    const before = await misplace(store, bytes('k1'), undefined)
    await misplace(store, bytes('k1'), before)
    expect(await walked(store, 'k')).toEqual(['k1', 'k2'])
    await versionOf(store, put('k1', '2'))
    const newer = await misplace(store, bytes('k1'), before)
    expect(await textAt(store, 'k1')).toBe('1')
    expect(await walked(store, 'k')).toBe('Corrupt')
    await misplace(store, bytes('k1'), newer)
    await versionOf(store, { ...none, deletes: [bytes('k1')] })
    expect(await walked(store, 'k')).toEqual(['k2'])
    await misplace(store, bytes('k1'), newer)
    expect(await walked(store, 'k')).toBe('Corrupt')
  })

  test('finds a row that fails its checksum', async () => {
    const store = await open()
    await versionOf(store, put('k1'))
    expect(await walked(await tamper(store, bytes('k1'), (stored) => (stored[10] = (stored[10] ?? 0) ^ 1)), 'k')).toBe('Corrupt')
  })
}

function describeIntegrity(open: Open, tamper: MetadataStoreHarness['tamper']): void {
  const places: Record<string, (stored: Buffer) => void> = {
    'the format': (stored) => (stored[0] = (stored[0] ?? 0) ^ 2),
    'the version': (stored) => (stored[8] = (stored[8] ?? 0) ^ 1),
    'the value': (stored) => (stored[12] = (stored[12] ?? 0) ^ 128),
    'the checksum': (stored) => (stored[stored.length - 1] = (stored[stored.length - 1] ?? 0) ^ 1),
  }
  for (const [place, change] of Object.entries(places)) {
    test(`a row with one bit changed in ${place} is Corrupt, wherever it is read`, async () => {
      const fresh = await open()
      await versionOf(fresh, { ...none, puts: [{ key: bytes('good'), value: bytes('good') }, { key: bytes('bad'), value: bytes('some value') }] })
      const store = await tamper(fresh, bytes('bad'), change)
      const error = await store.get(bytes('bad')).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(MetadataError)
      expect(error).toMatchObject({ code: 'Corrupt', message: expect.stringContaining(bytes('bad').toString('hex')) as string })
      expect(await codeOf(store.list({ start: bytes('a'), end: bytes('z'), limit: 10 }))).toBe('Corrupt')
      expect(await codeOf(store.commit({ ...put('good', 'changed'), checks: [{ key: bytes('bad'), version: 1 }] }))).toBe('Corrupt')
      expect(await textAt(store, 'good')).toBe('good')
      // A row that nobody reads does not stand in the way, and writing it anew mends it.
      await versionOf(store, put('bad', 'mended'))
      expect(await textAt(store, 'bad')).toBe('mended')
    })
  }
}

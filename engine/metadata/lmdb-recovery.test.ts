import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB } from '../../base/units.ts'
import { LmdbSource } from './index/lmdb-source.ts'
import type { Commit, MetadataStore } from './metadata-store.ts'
import { openMember } from './open-member.ts'
import { openCommitter, openMetadata, placeOf } from './open-metadata.ts'
import { tryCopy } from './try-copy.ts'
import { currentCopies, walkCopy } from './walk-copy.ts'
import { type MetadataPlaces, onOneDrive } from './metadata-places.ts'
import { LmdbReader } from './index/lmdb-reader.ts'

/** What real LMDB files are after a loss of power, of drives, and of bytes. */

const root = mkdtempSync(join(tmpdir(), 'moraine-recovery-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const timeoutMs = 120_000

const put = (key: string, value: string): Commit => ({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(value) }], deletes: [], appends: [] })
const openAt = (places: MetadataPlaces): Promise<MetadataStore> => openMetadata({ places, clock: systemClock, random: systemRandom })

async function rowsIn(store: MetadataStore): Promise<Map<string, string>> {
  const rows = await store.list({ start: Buffer.alloc(0), end: Buffer.from([0xff]), limit: 100_000 })
  return new Map(rows.map(({ key, value }) => [key.toString(), value.toString()]))
}

/** The file as a power loss may leave it: of each page, what was last synced or what was written since. */
function tornImage(synced: Buffer, written: Buffer, random: SeededRandom): Buffer {
  const image = Buffer.alloc(written.length)
  for (let at = 0; at < image.length; at += 4 * KiB) {
    const source = random.chance(0.5) ? written : synced
    image.set(source.subarray(at, at + 4 * KiB), at)
  }
  return image
}

test('an index of which a power loss kept any pages, the newest or older ones, comes back whole', async () => {
  const directory = join(root, 'torn')
  const random = new SeededRandom(7)
  const expected = new Map<string, string>()
  let store = await openAt(onOneDrive(directory))
  for (let round = 0; round < 20; round++) {
    // A start ends with a sync: this is what is on the drive.
    const synced = readFileSync(join(directory, 'data.mdb'))
    for (let i = 0; i < 40; i++) {
      const key = `k${random.integer(300)}`
      const value = `${round}/${i}`.padEnd(random.pick([10, 300, 5000]), '.')
      if (random.chance(0.2)) {
        await store.commit({ ...put('x', 'x'), puts: [], deletes: [Buffer.from(key)] })
        expected.delete(key)
      } else {
        await store.commit(put(key, value))
        expected.set(key, value)
      }
    }
    const crashed = join(root, `torn-${round}`)
    cpSync(directory, crashed, { recursive: true })
    await store.close()
    writeFileSync(join(crashed, 'data.mdb'), tornImage(synced, readFileSync(join(crashed, 'data.mdb')), random))
    rmSync(directory, { recursive: true })
    cpSync(crashed, directory, { recursive: true })
    store = await openAt(onOneDrive(directory))
    const rows = await rowsIn(store)
    expect(rows.size).toBe(expected.size)
    for (const [key, value] of expected) expect(rows.get(key)).toBe(value)
  }
  await store.close()
}, timeoutMs)

test('metadata from before there was a journal open as they are', async () => {
  const directory = join(root, 'older')
  mkdirSync(directory)
  const seed = await openAt(onOneDrive(join(root, 'seed')))
  const { version } = (await seed.commit(put('k', 'v'))) as { version: number }
  await seed.close()
  // The rows, and the newest version alone at the end, as the first format had them.
  const before = open<Buffer, Buffer>({ path: join(root, 'seed'), noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true, overlappingSync: false })
  const older = open<Buffer, Buffer>({ path: directory, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', overlappingSync: false })
  await older.put(Buffer.from('k'), Buffer.from(before.get(Buffer.from('k')) ?? ''))
  const { encodeRow } = await import('./row-format.ts')
  const { positionKey } = await import('./index/lmdb-environment.ts')
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(41n)
  await older.put(positionKey, encodeRow(positionKey, 41, counter))
  await older.close()
  await before.close()
  const store = await openAt(onOneDrive(directory))
  expect((await store.get(Buffer.from('k')))?.version).toBe(version)
  const result = await store.commit(put('l', 'w'))
  expect(result).toEqual({ ok: true, version: 42 })
  await store.close()
  const again = await openAt(onOneDrive(directory))
  expect([...(await rowsIn(again)).keys()]).toEqual(['k', 'l'])
  await again.close()
}, timeoutMs)

describe('on a set of drives', () => {
  const places = (name: string, without: readonly number[] = []): MetadataPlaces => ({
    drives: [0, 1, 2, 3, 4, 5].filter((at) => !without.includes(at)).map((at) => ({ id: String(at), directory: join(root, name, String(at), 'metadata') })),
    setDrives: 6,
    writeQuorum: 4,
    copies: 3,
  })

  test.each([[0, 1], [0, 2], [1, 2], [0, 5], [3, 4]])('drives %i and %i are lost: everything is there; they come back: they catch up', async (a, b) => {
    const name = `lost-${a}-${b}`
    let store = await openAt(places(name))
    await store.commit(put('k', 'before'))
    await store.close()
    store = await openAt(places(name, [a, b]))
    expect([...(await rowsIn(store))]).toEqual([['k', 'before']])
    await store.commit(put('k', 'without'))
    await store.close()
    // The two are stale now, and the others of the first three are lost in their turn.
    const others = [0, 1, 2, 3, 4].filter((at) => at !== a && at !== b).slice(0, 2)
    store = await openAt(places(name))
    expect([...(await rowsIn(store))]).toEqual([['k', 'without']])
    await store.close()
    store = await openAt(places(name, others))
    expect([...(await rowsIn(store))]).toEqual([['k', 'without']])
    await store.close()
  }, timeoutMs)

  test('where a copy cannot be made on one drive it is made on the next that takes it: there are as many as before', async () => {
    const all = places('spares')
    const directoryOf = (at: number): string => join(root, 'spares', String(at), 'metadata')
    let store = await openAt(all)
    await store.commit(put('k', 'v'))
    await store.close()
    expect(await currentCopies(all, systemClock)).toEqual([0, 1, 2].map(directoryOf))
    // One copy is gone, and neither its drive nor the next one takes another: what stands in its place cannot be removed.
    for (const at of [1, 3]) {
      rmSync(directoryOf(at), { recursive: true, force: true })
      mkdirSync(join(directoryOf(at), 'data.mdb', 'in-the-way'), { recursive: true })
    }
    const skipped: string[] = []
    store = await openMetadata({ places: all, clock: systemClock, random: systemRandom, onSkipped: (directory) => skipped.push(directory) })
    expect(skipped).toEqual([1, 3].map(directoryOf))
    expect(await currentCopies(all, systemClock)).toEqual([0, 2, 4].map(directoryOf))
    await store.commit(put('k', 'w'))
    await store.close()
    store = await openAt(places('spares', [0, 2]))
    expect([...(await rowsIn(store))]).toEqual([['k', 'w']])
    await store.close()
  }, timeoutMs)

  test('a drive that is replaced by an empty one becomes a copy; below the write quorum nothing is written, below the read quorum nothing served', async () => {
    let store = await openAt(places('replaced'))
    await store.commit(put('k', 'v'))
    await store.close()
    rmSync(join(root, 'replaced', '0'), { recursive: true })
    rmSync(join(root, 'replaced', '1'), { recursive: true })
    store = await openAt(places('replaced'))
    expect([...(await rowsIn(store))]).toEqual([['k', 'v']])
    await store.close()
    store = await openAt(places('replaced', [2, 3]))
    expect([...(await rowsIn(store))]).toEqual([['k', 'v']])
    await store.close()
    // Three of six: a read quorum, and no write quorum.
    store = await openAt(places('replaced', [0, 4, 5]))
    expect([...(await rowsIn(store))]).toEqual([['k', 'v']])
    await expect(store.commit(put('k', 'w'))).rejects.toMatchObject({ code: 'Unwritable', message: '3 of 6 drives can be used for the metadata; 4 are needed' })
    await store.close()
    store = await openAt(places('replaced', [5]))
    await store.commit(put('k', 'w'))
    expect([...(await rowsIn(store))]).toEqual([['k', 'w']])
    await store.close()
    await expect(openAt(places('replaced', [0, 1, 2, 3]))).rejects.toMatchObject({ code: 'Unwritable' })
  }, timeoutMs)

  test('where nothing can be written, what became of a request is unknown: a drive that is away may have it', async () => {
    const fateWithout = async (without: readonly number[]) => {
      const { committer, known } = await openCommitter({ places: places('fates', without), clock: systemClock })
      await committer.close()
      return known.fateOf(Buffer.alloc(12, 'r'), committer.version)
    }
    expect(await fateWithout([])).toEqual({ kind: 'absent' })
    expect(await fateWithout([0, 4, 5])).toEqual({ kind: 'unknown' })
    // Enough drives are there, and too few of them take the new epoch.
    const untold = [0, 4, 5].map((at) => join(root, 'fates', String(at), 'metadata', 'epoch.json'))
    for (const path of untold) {
      rmSync(path)
      mkdirSync(join(path, 'x'), { recursive: true })
    }
    expect(await fateWithout([])).toEqual({ kind: 'unknown' })
  }, timeoutMs)
})

describe('on three drives with two copies', () => {
  const drivesOf = (name: string) => ['A', 'B', 'C'].map((id) => ({ id, directory: join(root, name, id, 'metadata') }))
  const placesOf = (name: string, ids: string): MetadataPlaces => ({ drives: drivesOf(name).filter(({ id }) => ids.includes(id)), setDrives: 3, writeQuorum: 2, copies: 2 })

  async function writeOn(places: MetadataPlaces, value: string): Promise<void> {
    const store = await openAt(places)
    await store.commit(put('k', value))
    await store.close()
  }

  test.each([
    ['a start that was cut off', async (name: string) => {
      const [first] = drivesOf(name)
      mkdirSync(first?.directory ?? '', { recursive: true })
      await (await openMember(placeOf(first ?? { id: '', directory: '' }, {}), undefined, [], 'afterPowerLoss')).close()
    }],
    ['an epoch that is over', (name: string) => writeOn(placesOf(name, 'ABC'), 'stale')],
  ])('copies that are to be avoided are read all the same where the third drive has only what is left of %s', async (reason, leave) => {
    const name = `avoided ${reason}`
    await leave(name)
    await writeOn(placesOf(name, 'BC'), 'acknowledged')
    const store = await openMetadata({ places: placesOf(name, 'ABC'), clock: systemClock, random: systemRandom, avoid: placesOf(name, 'BC').drives.map(({ directory }) => directory) })
    expect([...(await rowsIn(store))]).toEqual([['k', 'acknowledged']])
    await store.close()
  }, timeoutMs)

  test('all copies are damaged: nothing is begun anew in their place', async () => {
    await writeOn(placesOf('all damaged', 'AB'), 'acknowledged')
    for (const { directory } of placesOf('all damaged', 'AB').drives) {
      for (const name of readdirSync(directory)) if (name.startsWith('checkpoint-')) writeFileSync(join(directory, name), 'damaged')
    }
    mkdirSync(join(root, 'all damaged', 'C', 'metadata'), { recursive: true })
    await expect(openAt(placesOf('all damaged', 'ABC'))).rejects.toMatchObject({ code: 'Unwritable' })
  }, timeoutMs)
})

/** Reads in a process of its own, which the system ends when the map lies beyond the file. */
function readElsewhere(directory: string): { readonly signal: NodeJS.Signals | null; readonly lines: readonly string[] } {
  const source = `
    import { LmdbReader } from ${JSON.stringify(new URL('./index/lmdb-reader.ts', import.meta.url).href)}
    const say = (line) => process.stdout.write(line + '\\n')
    let reader
    try { reader = new LmdbReader(${JSON.stringify(directory)}) } catch { say('refused'); process.exit(0) }
    for (let i = 0; i < 300; i++) {
      try {
        const row = await reader.get(Buffer.from('k' + i))
        say(row === undefined ? 'absent ' + i : 'value ' + i + ' ' + row.value.toString('latin1').slice(0, 20))
      } catch (error) { say('error ' + i) }
    }`
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' })
  return { signal, lines: stdout.trim().split('\n') }
}

test('a reader takes no empty place for an index: nothing is made there, and nothing answered as absent', () => {
  const directory = join(root, 'pulled')
  mkdirSync(directory)
  expect(() => new LmdbReader(directory)).toThrow('holds no index')
  expect(readdirSync(directory)).toEqual([])
  expect(() => new LmdbReader(join(root, 'nowhere'))).toThrow('holds no index')
  expect(existsSync(join(root, 'nowhere'))).toBe(false)
})

test('a flipped byte in any page of the index, or a file cut short, never makes a wrong value', async () => {
  const directory = join(root, 'flips')
  const store = await openAt(onOneDrive(directory))
  for (let i = 0; i < 300; i++) await store.commit(put(`k${i}`, `v${i} `.padEnd(i % 10 === 0 ? 9000 : 60, '.')))
  await store.close()
  const pristine = readFileSync(join(directory, 'data.mdb'))
  const random = new SeededRandom(11)
  const damaged = join(root, 'damaged')
  const outcomes = { wrong: [] as string[], noticed: 0, absent: 0, killed: 0, clean: 0 }
  for (let trial = 0; trial < 16; trial++) {
    rmSync(damaged, { recursive: true, force: true })
    mkdirSync(damaged)
    const image = Buffer.from(pristine)
    const used = image.length
    for (let flips = 0; flips < 8; flips++) {
      const at = random.integer(used)
      image[at] = (image[at] ?? 0) ^ (1 << random.integer(8))
    }
    writeFileSync(join(damaged, 'data.mdb'), trial % 4 === 3 ? image.subarray(0, 4 * KiB * (2 + random.integer(used / (4 * KiB) - 2))) : image)
    const { signal, lines } = readElsewhere(damaged)
    if (signal !== null) outcomes.killed++
    for (const line of lines) {
      const [kind, index = '', value = ''] = line.split(' ')
      if (kind === 'value' && value !== `v${index}`) outcomes.wrong.push(line)
      if (kind === 'error') outcomes.noticed++
      if (kind === 'absent') outcomes.absent++
      if (kind === 'value') outcomes.clean++
    }
  }
  expect(outcomes.wrong).toEqual([])
  expect(outcomes.clean).toBeGreaterThan(0)
  expect(outcomes.noticed + outcomes.absent + outcomes.killed).toBeGreaterThan(0)
}, timeoutMs)

test('a damaged index on a set of drives is made anew from another copy', async () => {
  const directories = [0, 1].map((at) => join(root, 'suspect', String(at)))
  const places = { drives: directories.map((directory, at) => ({ id: String(at), directory })), setDrives: 2, writeQuorum: 2, copies: 2 }
  let store = await openAt(places)
  for (let i = 0; i < 100; i++) await store.commit(put(`k${i}`, `v${i}`))
  await store.close()
  const file = join(directories[0] ?? '', 'data.mdb')
  truncateSync(file, 4 * KiB * 3)
  expect(statSync(file).size).toBe(4 * KiB * 3)
  store = await openMetadata({ places, clock: systemClock, random: systemRandom, suspects: directories.slice(0, 1) })
  expect((await rowsIn(store)).size).toBe(100)
  await store.close()
  expect(new LmdbSource(directories[0] ?? '').exists()).toBe(true)
  store = await openAt({ ...places, drives: places.drives })
  expect((await rowsIn(store)).size).toBe(100)
  await store.close()
}, timeoutMs)

test('a copy that lacks a row proves so while it is written, read or not, and is made anew from one that is whole', async () => {
  const directories = [0, 1, 2].map((at) => join(root, 'hidden', String(at)))
  const places = { drives: directories.map((directory, at) => ({ id: String(at), directory })), setDrives: 3, writeQuorum: 2, copies: 3 }
  const walk = (directory: string): Promise<string | undefined> => walkCopy({ directory, from: 0, bytesPerSecond: Infinity, clock: systemClock })
  let store = await openAt(places)
  for (let i = 0; i < 100; i++) await store.commit(put(`k${i}`, `v${i}`))
  expect(await currentCopies(places, systemClock)).toEqual(directories)
  // Followers have it a moment later; each is whole at any time.
  for (const directory of directories) expect(await walk(directory)).toBeUndefined()
  const damaged = directories.slice(0, 2)
  await store.close()
  store = await openAt(places)
  for (const [at, directory] of damaged.entries()) hideRow(directory, `k${at}`)
  await store.commit(put('k100', 'v100'))
  expect(await store.get(Buffer.from('k0'))).toBeUndefined()
  expect(await walk(directories[0] ?? '')).toBe('table k has 100 rows that are not the 101 that were put')
  expect(await walk(directories[1] ?? '')).toMatch(/^table k has \d+ rows that are not the \d+ that were put$/)
  expect(await walk(directories[2] ?? '')).toBeUndefined()
  await store.close()
  store = await openMetadata({ places, clock: systemClock, random: systemRandom, suspects: damaged })
  expect((await rowsIn(store)).size).toBe(101)
  for (const directory of directories) expect(await walk(directory)).toBeUndefined()
  await store.close()
  await expect(walk(join(root, 'nothing'))).rejects.toMatchObject({ code: 'Closed' })
}, timeoutMs)

test('a copy is tried alone as a start would use it, and says of itself what it did before', async () => {
  const directory = join(root, 'tried')
  const trial = (): Promise<unknown> => tryCopy({ drive: { id: 'only', directory }, clock: systemClock })
  expect(await trial()).toEqual({ kind: 'none' })
  expect(existsSync(directory)).toBe(false)
  let store = await openAt(onOneDrive(directory))
  for (let i = 0; i < 50; i++) await store.commit(put(`k${i}`, `v${i}`))
  await store.close()
  // As a power loss leaves it, with records to be applied.
  store = await openAt(onOneDrive(directory))
  await store.commit(put('last', 'v'))
  cpSync(directory, `${directory}-cut`, { recursive: true })
  await store.close()
  rmSync(directory, { recursive: true })
  renameSync(`${directory}-cut`, directory)
  for (let again = 0; again < 2; again++) expect(await trial()).toEqual({ kind: 'whole' })
  store = await openAt(onOneDrive(directory))
  expect((await rowsIn(store)).size).toBe(51)
  // Before the checkpoint that closing makes.
  hideRow(directory, 'k7')
  await store.close()
  expect(await trial()).toEqual({ kind: 'damaged', message: 'table k has 49 rows that are not the 50 that were put' })
  truncateSync(join(directory, 'data.mdb'), 4 * KiB * 3)
  expect(await trial()).toEqual({ kind: 'damaged', message: expect.stringMatching(/^the index has 12288 bytes, and pages up to \d+$/) as string })
  writeFileSync(join(directory, 'data.mdb'), Buffer.alloc(64 * KiB, 7))
  expect(await trial()).toMatchObject({ kind: 'damaged' })
}, timeoutMs)

/** Behind the back of whoever has it open. */
function hideRow(path: string, key: string): void {
  const raw = open<Buffer, Buffer>({ path, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true, overlappingSync: false })
  raw.removeSync(Buffer.from(key))
  void raw.close()
}

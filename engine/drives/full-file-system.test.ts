import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import { chunksOf, contentOf, readAll } from '../blobs/blob-store-suite.ts'
import { DriveBlobStore } from '../blobs/drive-blob-store.ts'
import { type Commit, MetadataError, type MetadataStore } from '../metadata/metadata-store.ts'
import { openMetadata } from '../metadata/open-metadata.ts'
import { onOneDrive } from '../metadata/metadata-places.ts'
import { openDrive } from './drive-format.ts'
import { lockDrive } from './drive-lock.ts'
import { NodeDrive } from './node-drive.ts'

/** A file system that is really full: 8 MiB of tmpfs, where this user may mount one. */
const root = mkdtempSync(join(tmpdir(), 'moraine-full-'))
const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root], { encoding: 'utf8' })
const reason = mount.error?.message ?? mount.stderr.trim()
const mounted = mount.status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', [root])
  rmSync(root, { recursive: true, force: true })
})

const put = (key: string, value: Buffer): Commit => ({ checks: [], puts: [{ key: Buffer.from(key), value }], deletes: [], appends: [] })

function grow(size: string): void {
  expect(spawnSync('mount', ['-o', `remount,size=${size}`, root]).status).toBe(0)
}

const openStore = (name: string): Promise<MetadataStore> => openMetadata({ places: onOneDrive(join(root, name)), clock: systemClock, random: systemRandom })

describe.skipIf(!mounted)(`a full file system${mounted ? '' : `: not run, a tmpfs cannot be mounted here (${reason})`}`, () => {
  test('fails a blob with Full, keeps nothing of it, and serves and deletes on', async () => {
    const drive = new NodeDrive(root)
    await openDrive(drive, systemRandom)
    const store = new DriveBlobStore({ drive, clock: systemClock, random: systemRandom })
    const content = contentOf(5 * MiB)
    const ref = await store.write(chunksOf(content, 64 * KiB))
    await expect(store.write(chunksOf(content, 64 * KiB))).rejects.toMatchObject({ name: 'BlobError', code: 'Full' })
    expect(await Array.fromAsync(store.list())).toMatchObject([{ blobId: ref.blobId }])
    expect((await readAll(store, ref)).equals(content)).toBe(true)
    await store.delete(ref.blobId)
    const again = await store.write(chunksOf(content, 64 * KiB))
    expect((await readAll(store, again)).equals(content)).toBe(true)
    await store.delete(again.blobId)
  })

  test('fails a commit with Full, changes nothing, and goes on once there is room', async () => {
    grow('16m')
    const store = await openStore('metadata')
    const written: string[] = []
    let failure: unknown
    for (let i = 0; failure === undefined && i < 100; i++) {
      await store.commit(put(`k${i}`, contentOf(300 * KiB, i))).then(() => written.push(`k${i}`), (error: unknown) => (failure = error))
    }
    expect(failure).toMatchObject({ name: 'MetadataError', code: 'Full' })
    expect(written.length).toBeGreaterThan(10)
    const rows = await store.list({ start: Buffer.from('k'), end: Buffer.from('l'), limit: 1000 })
    expect(rows.map(({ key }) => key.toString()).toSorted()).toEqual(written.toSorted())
    for (const { key, value } of rows) expect(value.equals(contentOf(300 * KiB, Number(key.toString().slice(1))))).toBe(true)
    grow('32m')
    expect((await store.commit(put('after', contentOf(300 * KiB)))).ok).toBe(true)
    await store.close()
  })

  test('deletes make room in a full store: a delete needs less than what it frees', async () => {
    const store = await openStore('deletes')
    const writeUntilFull = async (): Promise<unknown> => {
      for (let i = 0; i < 1000; i++) {
        const failure: unknown = await store.commit(put(`k${i}`, contentOf(64 * KiB))).then(() => undefined, (error: unknown) => error)
        if (failure !== undefined) return failure
      }
      return undefined
    }
    expect(await writeUntilFull()).toMatchObject({ code: 'Full' })
    for (let i = 0; i < 5; i++) await store.commit({ checks: [], puts: [], deletes: [Buffer.from(`k${i}`)], appends: [] })
    expect((await store.commit(put('k0', contentOf(64 * KiB)))).ok).toBe(true)
    await store.close()
  })

  test('while a walk keeps what was replaced, commits on a full drive are refused at worst; deletes go on once it is over', async () => {
    grow('48m')
    const store = await openStore('walked')
    const codeOf = (commit: Commit): Promise<unknown> => store.commit(commit).then(() => 'done', (error: unknown) => (error instanceof MetadataError ? error.code : error))
    for (let i = 0; (await codeOf(put(`k${i}`, contentOf(64 * KiB)))) === 'done'; i++);
    const gate = Promise.withResolvers<void>()
    let isOver = false
    const walking = store.walk({ table: 'k'.charCodeAt(0), onRows: () => gate.promise }).finally(() => (isOver = true))
    const codes = new Set<unknown>()
    for (let i = 0; i < 300; i++) {
      codes.add(await codeOf({ checks: [], puts: [], deletes: [Buffer.from(`k${i % 40}`)], appends: [] }))
      codes.add(await codeOf(put(`k${i % 40}`, contentOf(20 * KiB))))
    }
    expect(isOver).toBe(false)
    expect([...codes].filter((code) => code !== 'done' && code !== 'Full')).toEqual([])
    gate.resolve()
    await walking
    for (let i = 0; i < 40; i++) await store.commit({ checks: [], puts: [], deletes: [Buffer.from(`k${i}`)], appends: [] })
    await store.close()
  })

  test('opens again after a kill, with everything, though nothing more fits: a delete makes room', async () => {
    grow('64m')
    const directory = join(root, 'killed')
    const written = fillAndDie(directory)
    expect(written).toBeGreaterThan(20)
    fillUp()
    const store = await openStore('killed')
    for (let i = 0; i < written; i++) {
      expect((await store.get(Buffer.from(`k${i}`)))?.value.equals(contentOf(64 * KiB, i)), `k${i} of ${written}`).toBe(true)
    }
    await expect(store.commit(put('more', contentOf(4 * MiB)))).rejects.toMatchObject({ code: 'Full' })
    for (let i = 0; i < written; i++) await store.commit({ checks: [], puts: [], deletes: [Buffer.from(`k${i}`)], appends: [] })
    await store.close()
    fillUp()
    const again = await openStore('killed')
    expect((await again.commit(put('after', contentOf(64 * KiB)))).ok).toBe(true)
    await again.close()
    expect(readdirSync(directory)).toContain('ballast')
  })

  test('each of many starts leaves the next one what it needs, though others take what is free in between', async () => {
    grow('80m')
    const written = fillAndDie(join(root, 'started'))
    for (let start = 0; start < 8; start++) {
      fillUp()
      const store = await openStore('started')
      expect(await store.list({ start: Buffer.from('k'), end: Buffer.from('l'), limit: 1000 })).toHaveLength(written)
      await store.close()
    }
    // Room that others give back is enough to go on.
    grow('84m')
    const store = await openStore('started')
    for (let i = 0; i < written; i++) await store.commit({ checks: [], puts: [], deletes: [Buffer.from(`k${i}`)], appends: [] })
    expect((await store.commit(put('after', contentOf(64 * KiB)))).ok).toBe(true)
    await store.close()
  })

  test('a drive without a free block can be locked', () => {
    fillUp()
    expect(() => lockDrive(join(root, 'new.sqlite')).release()).not.toThrow()
  })
})

/** Not one block is left. */
function fillUp(): void {
  const file = openSync(join(root, `junk-${junk++}`), 'w')
  try {
    for (let bytes = MiB; bytes >= 512; ) {
      try {
        writeSync(file, Buffer.alloc(bytes))
      } catch {
        bytes /= 2
      }
    }
  } finally {
    closeSync(file)
  }
}
let junk = 0

/** Commits until the store is full, in a process that is killed then; the number of commits that were acknowledged. */
function fillAndDie(directory: string): number {
  const source = `
    import { openMetadata } from ${JSON.stringify(new URL('../metadata/open-metadata.ts', import.meta.url).href)}
    import { onOneDrive } from ${JSON.stringify(new URL('../metadata/metadata-places.ts', import.meta.url).href)}
    import { contentOf } from ${JSON.stringify(new URL('../blobs/blob-store-suite.ts', import.meta.url).href)}
    import { systemClock, systemRandom } from ${JSON.stringify(new URL('../../base/system.ts', import.meta.url).href)}
    const store = await openMetadata({ places: onOneDrive(${JSON.stringify(directory)}), clock: systemClock, random: systemRandom })
    let count = 0
    try {
      for (;; count++) await store.commit({ checks: [], puts: [{ key: Buffer.from('k' + count), value: contentOf(65536, count) }], deletes: [], appends: [] })
    } catch (error) {
      process.stdout.write(error.code + ' ' + count, () => process.kill(process.pid, 'SIGKILL'))
    }`
  const { signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' })
  expect(signal, stderr).toBe('SIGKILL')
  expect(stdout).toMatch(/^Full \d+$/)
  return Number(stdout.slice('Full '.length))
}

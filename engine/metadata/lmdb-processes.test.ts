import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { LmdbMetadataStore } from './lmdb-metadata-store.ts'
import type { Commit } from './metadata-store.ts'

/** What several processes on one LMDB environment see of each other. */

const root = mkdtempSync(join(tmpdir(), 'moraine-processes-'))
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})
afterAll(() => rmSync(root, { recursive: true }))

const put = (key: string, value: string): Commit => ({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(value) }], deletes: [], appends: [] })
const textAt = async (store: LmdbMetadataStore, key: string): Promise<string | undefined> => (await store.get(Buffer.from(key)))?.value.toString()

/** `script` runs in its own process, with `store` open, `transact`, `put`, `say` and `heard`. */
function start(directory: string, script: string): ChildProcess {
  const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
  const source = `
    import { LmdbMetadataStore } from ${at('./lmdb-metadata-store.ts')}
    import { transact } from ${at('./transact.ts')}
    const store = LmdbMetadataStore.open({ directory: ${JSON.stringify(directory)} })
    const put = (key, value) => store.commit({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(value) }], deletes: [], appends: [] })
    const say = (message) => process.send(message)
    const heard = () => new Promise((resolve) => process.once('message', resolve))
    ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  children.add(child)
  return child
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as [unknown]
  return message
}

test('checked increments from three processes lose nothing', async () => {
  const directory = mkdtempSync(join(root, 'd-'))
  const increment = `
    const key = Buffer.from('counter')
    const increments = Array.from({ length: 200 }, () => transact(store, async (tx) => {
      const before = Number((await tx.get(key))?.toString() ?? 0)
      tx.put(key, Buffer.from(String(before + 1)))
      tx.append(Buffer.from('log/'), Buffer.from(String(before + 1)))
    }, { attempts: 100_000 }))
    await Promise.all(increments)
    await store.close()
    say('done')
    process.disconnect()`
  const processes = [1, 2, 3].map(() => start(directory, increment))
  expect(await Promise.all(processes.map(next))).toEqual(['done', 'done', 'done'])
  const store = LmdbMetadataStore.open({ directory })
  expect(await textAt(store, 'counter')).toBe('600')
  const log = await store.list({ start: Buffer.from('log/'), end: Buffer.from('log0'), limit: 1000 })
  expect(log.map(({ value }) => Number(value.toString()))).toEqual(Array.from({ length: 600 }, (_, i) => i + 1))
  await store.close()
})

test('a read that starts after another process\'s commit resolved sees it', async () => {
  const directory = mkdtempSync(join(root, 'd-'))
  const store = LmdbMetadataStore.open({ directory })
  const writer = start(directory, `
    say('ready')
    for (let i = 0; ; i++) {
      await heard()
      await put('k', String(i))
      say(i)
    }`)
  await next(writer)
  const stale: unknown[] = []
  for (let i = 0; i < 300; i++) {
    // Reads keep a snapshot alive up to the moment the other process answers.
    writer.send('go')
    const answered = next(writer)
    await textAt(store, 'k')
    const written = await answered
    const seen = await textAt(store, 'k')
    const listed = (await store.list({ start: Buffer.from('k'), end: Buffer.from('l'), limit: 1 })).map(({ value }) => value.toString())
    if (seen !== String(written) || listed[0] !== seen) stale.push({ written, seen, listed })
  }
  expect(stale).toEqual([])
  await store.close()
})

test('a read sees commits that another process made within the same turn of this one', async () => {
  const directory = mkdtempSync(join(root, 'd-'))
  const store = LmdbMetadataStore.open({ directory })
  // The two meet in shared memory, so that this process never returns to its event loop.
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const { Worker } = await import('node:worker_threads')
  const source = `
    const { workerData: { flag, directory, script } } = require('node:worker_threads')
    const { spawnSync } = require('node:child_process')
    spawnSync(process.execPath, ['--input-type=module', '--eval', script])
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)`
  const script = `
    import { LmdbMetadataStore } from ${JSON.stringify(new URL('./lmdb-metadata-store.ts', import.meta.url).href)}
    const store = LmdbMetadataStore.open({ directory: ${JSON.stringify(directory)} })
    await store.commit({ checks: [], puts: [{ key: Buffer.from('k'), value: Buffer.from('new') }], deletes: [], appends: [] })
    await store.close()`
  await store.commit(put('k', 'old'))
  const worker = new Worker(source, { eval: true, workerData: { flag, directory, script } })
  await once(worker, 'online')
  expect(await textAt(store, 'k')).toBe('old')
  Atomics.wait(flag, 0, 0, 20_000)
  expect(await textAt(store, 'k')).toBe('new')
  await store.close()
})

test('what a killed process acknowledged is there, and the store goes on', async () => {
  const directory = mkdtempSync(join(root, 'd-'))
  const store = LmdbMetadataStore.open({ directory })
  for (let round = 0; round < 5; round++) {
    const acknowledged: { key: string; version: number }[] = []
    const writer = start(directory, `
      const write = async (lane) => {
        for (let i = 0; ; i++) {
          const key = 'r${round}/' + lane + '/' + i
          const { version } = await put(key, key)
          say({ key, version })
        }
      }
      for (let lane = 0; lane < 8; lane++) void write(lane)`)
    writer.on('message', (message: { key: string; version: number }) => acknowledged.push(message))
    while (acknowledged.length < 100 + 50 * round) await new Promise(setImmediate)
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    for (const { key, version } of acknowledged) expect(await store.get(Buffer.from(key))).toEqual({ value: Buffer.from(key), version })
    // The writer lock of the dead process is recovered, and versions still grow.
    const result = await store.commit(put(`after ${round}`, 'x'))
    expect(result.ok && result.version > Math.max(...acknowledged.map(({ version }) => version))).toBe(true)
  }
  await store.close()
})

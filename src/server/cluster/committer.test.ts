import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { systemClock, systemRandom } from '../../../base/system.ts'
import { openDeployment, prepareDeployment, type Deployment, type PreparedDeployment } from '../../../engine/index.ts'
import { argumentsOf } from './committer-process.ts'
import { connectToCommitter } from './committer-socket.ts'

/** What several processes see of each other that commit to one committer, and what its death does to them. */

type Store = Deployment['metadata']
type Commit = Parameters<Store['commit']>[0]

const timeoutMs = 120_000
const root = mkdtempSync(join(tmpdir(), 'moraine-committer-'))
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const put = (key: string, value: string): Commit => ({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(value) }], deletes: [], appends: [] })
const textAt = async (store: Store, key: string): Promise<string | undefined> => (await store.get(Buffer.from(key)))?.value.toString()
const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)

function track(child: ChildProcess): ChildProcess {
  children.add(child)
  return child
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as [unknown]
  return message
}

interface Place {
  readonly drives: readonly string[]
  readonly metadata: PreparedDeployment['metadata']
  readonly socketPath: string
}

async function prepare(count = 1): Promise<Place> {
  const drives = Array.from({ length: count }, () => mkdtempSync(join(root, 'd-')))
  const prepared = await prepareDeployment({ drives, clock: systemClock, random: systemRandom })
  prepared.release()
  return { drives, metadata: prepared.metadata, socketPath: join(mkdtempSync(join(root, 's-')), 'commits') }
}

/** Tells where its commits can be read. */
async function startCommitter({ metadata: places, socketPath }: Place, readFrom?: string): Promise<Started> {
  const program = join(root, 'committer.mjs')
  const source = `import { runCommitter } from ${at('./committer-process.ts')}
    import { systemClock } from ${at('../../../base/system.ts')}
    await runCommitter(process.argv.slice(2), systemClock)`
  writeFileSync(program, source)
  const child = track(fork(program, argumentsOf({ places, socketPath, ...(readFrom === undefined ? {} : { readFrom: [readFrom] }) })))
  const opened = (await next(child)) as { readonly kind: string; readonly directory: string }
  expect(opened).toMatchObject({ kind: 'opened' })
  child.send({ kind: 'serve' })
  expect(await next(child)).toEqual({ kind: 'serving' })
  return { child, directory: opened.directory }
}

async function endCommitter(child: ChildProcess): Promise<void> {
  child.send({ kind: 'end' })
  expect(await once(child, 'exit')).toEqual([0, null])
}

interface Started {
  readonly child: ChildProcess
  readonly directory: string
}

async function openStore({ drives, socketPath }: Place, { directory }: Started): Promise<Store> {
  const commits = connectToCommitter({ path: socketPath, sender: systemRandom.bytes(8), clock: systemClock })
  return (await openDeployment({ drives, clock: systemClock, random: systemRandom, committer: { commits, directory } })).metadata
}

/** `script` runs in its own process, with `store` open, `put`, `say` and `heard`. */
function startClient({ drives, socketPath }: Place, { directory }: Started, script: string): ChildProcess {
  const source = `
    import { connectToCommitter } from ${at('./committer-socket.ts')}
    import { openDeployment } from ${at('../../../engine/index.ts')}
    import { systemClock as clock, systemRandom as random } from ${at('../../../base/system.ts')}
    const commits = connectToCommitter({ path: ${JSON.stringify(socketPath)}, sender: random.bytes(8), clock })
    const { metadata: store } = await openDeployment({ drives: ${JSON.stringify(drives)}, clock, random, committer: { commits, directory: ${JSON.stringify(directory)} } })
    const put = (key, value) => store.commit({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(value) }], deletes: [], appends: [] })
    const say = (message) => process.send(message)
    const heard = () => new Promise((resolve) => process.once('message', resolve))
    ${script}`
  return track(spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
}

test('checked increments from three processes lose nothing', async () => {
  const place = await prepare()
  const committer = await startCommitter(place)
  const increment = `
    const key = Buffer.from('counter')
    const increment = async () => {
      for (;;) {
        const before = await store.get(key)
        const value = Buffer.from(String(Number(before?.value.toString() ?? 0) + 1))
        const { ok } = await store.commit({ checks: [{ key, version: before?.version }], puts: [{ key, value }], deletes: [], appends: [{ prefix: Buffer.from('log/'), value }] })
        if (ok) return
      }
    }
    await Promise.all(Array.from({ length: 100 }, increment))
    await store.close()
    say('done')
    process.disconnect()`
  const processes = [1, 2, 3].map(() => startClient(place, committer, increment))
  expect(await Promise.all(processes.map(next))).toEqual(['done', 'done', 'done'])
  const store = await openStore(place, committer)
  expect(await textAt(store, 'counter')).toBe('300')
  const log = await store.list({ start: Buffer.from('log/'), end: Buffer.from('log0'), limit: 1000 })
  expect(log.map(({ value }) => Number(value.toString()))).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
  await store.close()
  await endCommitter(committer.child)
}, timeoutMs)

test('a read that starts after another process\'s commit resolved sees it', async () => {
  const place = await prepare()
  const committer = await startCommitter(place)
  const store = await openStore(place, committer)
  const writer = startClient(place, committer, `
    say('ready')
    for (let i = 0; ; i++) {
      await heard()
      await put('k', String(i))
      say(i)
    }`)
  await next(writer)
  const stale: unknown[] = []
  for (let i = 0; i < 200; i++) {
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
}, timeoutMs)

test('what a killed worker was told is there, and the others go on', async () => {
  const place = await prepare()
  const committer = await startCommitter(place)
  const store = await openStore(place, committer)
  for (let round = 0; round < 3; round++) {
    const acknowledged: { key: string; version: number }[] = []
    const writer = startClient(place, committer, `
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
    const result = await store.commit(put(`after ${round}`, 'x'))
    expect(result.ok && result.version > Math.max(...acknowledged.map(({ version }) => version))).toBe(true)
  }
  await store.close()
}, timeoutMs)

test('a committer that is killed under load is replaced: no commit fails, none happens twice', async () => {
  const place = await prepare()
  let committer = await startCommitter(place)
  const store = await openStore(place, committer)
  let stopped = false
  const acknowledged = new Map<string, number>()
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let i = 0; !stopped; i++) {
      const key = `${lane}/${i}`
      // The check fails for a commit that is sent again although it happened.
      const result = await store.commit({ ...put(key, key), checks: [{ key: Buffer.from(key), version: undefined }], appends: [{ prefix: Buffer.from('log/'), value: Buffer.from(key) }] })
      expect(result.ok).toBe(true)
      if (result.ok) acknowledged.set(key, result.version)
    }
  })
  for (let kills = 0; kills < 5; kills++) {
    const goal = acknowledged.size + 200
    while (acknowledged.size < goal) await new Promise(setImmediate)
    committer.child.kill('SIGKILL')
    await once(committer.child, 'exit')
    committer = await startCommitter(place, committer.directory)
  }
  stopped = true
  await Promise.all(lanes)
  for (const [key, version] of acknowledged) expect((await store.get(Buffer.from(key)))?.version).toBe(version)
  const log = await store.list({ start: Buffer.from('log/'), end: Buffer.from('log0'), limit: 100_000 })
  expect(log.map(({ value }) => value.toString()).toSorted()).toEqual([...acknowledged.keys()].toSorted())
  expect(new Set(acknowledged.values()).size).toBe(acknowledged.size)
  await store.close()
  await endCommitter(committer.child)
  // A start as after a power loss goes back to the checkpoint, and finds the rest in the journal.
  const again = await openDeployment({ drives: place.drives, clock: systemClock, random: systemRandom })
  for (const [key, version] of acknowledged) expect((await again.metadata.get(Buffer.from(key)))?.version).toBe(version)
  await again.close()
}, timeoutMs)

test('when everything is killed, a start from the last checkpoint and the journal has every acknowledged commit', async () => {
  const place = await prepare()
  const committer = await startCommitter(place)
  const acknowledged: string[] = []
  const writer = startClient(place, committer, `
    const write = async (lane) => {
      for (let i = 0; ; i++) {
        await put(lane + '/' + i, 'x'.repeat(i % 5000))
        say(lane + '/' + i)
      }
    }
    for (let lane = 0; lane < 8; lane++) void write(lane)`)
  writer.on('message', (key: string) => acknowledged.push(key))
  while (acknowledged.length < 1000) await new Promise(setImmediate)
  committer.child.kill('SIGKILL')
  writer.kill('SIGKILL')
  await Promise.all([once(committer.child, 'exit'), once(writer, 'exit')])
  const { metadata } = await openDeployment({ drives: place.drives, clock: systemClock, random: systemRandom })
  const missing: string[] = []
  for (const key of acknowledged) if ((await metadata.get(Buffer.from(key))) === undefined) missing.push(key)
  expect(missing).toEqual([])
  await metadata.close()
}, timeoutMs)

/**
 * Checked, durable commits per second of the metadata store, the CPU that each takes, and what its reads cost.
 *
 *     node bench/micro/metadata-commit.ts [--seconds 2] [--value 0] [--directory DIR]
 *
 * A commit checks and writes two keys of 100 and 300 bytes, as an object's version and its current
 * pointer do, and with `--value` a third one of that size, as a small object's bytes are. The directory
 * should lie on the drive that is to be measured: a commit ends with a sync. Workers are processes that
 * commit through the committer's process, as those of a server do.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock, systemRandom } from '../../base/system.ts'
import type { MetadataStore } from '../../engine/metadata/metadata-store.ts'
import { openCommitter, openMetadata, openRemoteMetadata } from '../../engine/metadata/open-metadata.ts'
import { onOneDrive } from '../../engine/metadata/metadata-places.ts'
import { connectToCommitter, serveCommitter } from '../../src/server/cluster/committer-socket.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    value: { type: 'string', default: '0' },
    directory: { type: 'string', default: tmpdir() },
    /** Set for the processes that this one starts. */
    role: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
  },
})
const seconds = Number(options.seconds)
const pointer = Buffer.alloc(100, 'p')
const version = Buffer.alloc(300, 'v')
const content = Buffer.alloc(Number(options.value), 'c')

interface Measured {
  readonly commits: number
  readonly seconds: number
  readonly cpuMicroseconds: number
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Commits until the time is over. */
async function measure(store: MetadataStore, name: string, concurrency: number): Promise<Measured> {
  const start = performance.now()
  const cpu = cpuMicroseconds()
  const end = start + seconds * 1000
  let commits = 0
  const lane = async (lane: number): Promise<void> => {
    const key = Buffer.from(`object/bucket/${name}/${lane}`)
    for (let i = 0, last: number | undefined = (await store.get(key))?.version; performance.now() < end; i++) {
      const versionKey = Buffer.from(`version/bucket/${name}/${lane}/${concurrency}/${i}`)
      const contentKey = Buffer.from(`content/${Buffer.from(systemRandom.bytes(16)).toString('hex')}`)
      const result = await store.commit({
        checks: [{ key, version: last }, { key: versionKey, version: undefined }],
        puts: [{ key, value: pointer }, { key: versionKey, value: version }, ...(content.length === 0 ? [] : [{ key: contentKey, value: content }])],
        deletes: [],
        appends: [],
      })
      if (!result.ok) throw new Error('nobody else writes this lane')
      last = result.version
      commits++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, index) => lane(index)))
  return { commits, seconds: (performance.now() - start) / 1000, cpuMicroseconds: cpuMicroseconds() - cpu }
}

const socketPath = (directory: string): string => join(directory, 'commits')

function start(role: string, directory: string, concurrency = 1): ChildProcess {
  return fork(import.meta.filename, [`--role=${role}`, `--seconds=${seconds}`, `--value=${content.length}`, `--concurrency=${concurrency}`, `--directory=${directory}`])
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T]
  return message
}

/** The committer's process tells its CPU time when it is asked. */
async function runCommitter(directory: string): Promise<void> {
  const { committer, known } = await openCommitter({ places: onOneDrive(directory), clock: systemClock })
  const server = await serveCommitter({ committer, known, path: socketPath(directory) })
  process.on('message', (message) => {
    if (message === 'cpu') process.send?.(cpuMicroseconds())
    else {
      server.close()
      void committer.close().then(() => process.exit(0))
    }
  })
  process.send?.('serving')
}

async function runWorker(directory: string, concurrency: number): Promise<void> {
  const commits = connectToCommitter({ path: socketPath(directory), sender: systemRandom.bytes(8), clock: systemClock })
  const { store } = openRemoteMetadata(directory, commits)
  process.send?.(await measure(store, `w${process.pid}`, concurrency))
  await store.close()
  process.disconnect?.()
}

async function measureWorkers(directory: string, concurrency: number): Promise<void> {
  const committer = start('committer', directory)
  await told(committer)
  const askCpu = async (): Promise<number> => {
    const answer = told<number>(committer)
    committer.send('cpu')
    return answer
  }
  const before = await askCpu()
  const workers = await Promise.all([1, 2].map(() => told<Measured>(start('worker', directory, concurrency / 2))))
  const committerCpu = (await askCpu()) - before
  committer.send('end')
  await once(committer, 'exit')
  const commits = workers.reduce((sum, worker) => sum + worker.commits, 0)
  const workerCpu = workers.reduce((sum, worker) => sum + worker.cpuMicroseconds, 0)
  const name = `two workers and the committer, ${concurrency} at once`
  report(name, workers.reduce((sum, worker) => sum + worker.commits / worker.seconds, 0), '/s')
  report('  CPU of a worker, of the committer', workerCpu / commits, `µs, ${(committerCpu / commits).toFixed(1)} µs a commit`)
}

function report(name: string, figure: number, unit: string): void {
  console.log(`${name.padEnd(44)} ${figure.toLocaleString('en', { maximumFractionDigits: 1 }).padStart(10)} ${unit}`)
}

async function reads(store: MetadataStore): Promise<void> {
  const keys = Array.from({ length: 100_000 }, (_, i) => Buffer.from(`list/bucket/${String(i).padStart(8, '0')}`))
  for (let first = 0; first < keys.length; first += 1000) {
    await store.commit({ checks: [], puts: keys.slice(first, first + 1000).map((key) => ({ key, value: version })), deletes: [], appends: [] })
  }
  for (const round of ['warm-up', 'get of 300 bytes']) {
    const began = performance.now()
    for (let i = 0; i < keys.length; i++) await store.get(keys[(i * 7919) % keys.length] ?? pointer)
    if (round !== 'warm-up') report(round, ((performance.now() - began) / keys.length) * 1000, 'µs')
  }
  for (const round of ['warm-up', 'list of 1,000 rows of 300 bytes']) {
    const began = performance.now()
    for (let i = 0; i < 200; i++) await store.list({ start: keys[i * 400] ?? pointer, end: Buffer.from('list/z'), limit: 1000 })
    if (round !== 'warm-up') report(round, (performance.now() - began) / 200, 'ms')
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(options.directory, 'moraine-bench-'))
  try {
    for (const concurrency of [32, 256]) await measureWorkers(directory, concurrency)
    const store = await openMetadata({ places: onOneDrive(directory), clock: systemClock, random: systemRandom })
    for (const concurrency of [1, 32, 256]) {
      const { commits, seconds: took, cpuMicroseconds: cpu } = await measure(store, 'one', concurrency)
      report(`one process, ${concurrency} at once`, commits / took, `/s, ${(cpu / commits).toFixed(1)} µs of CPU a commit`)
    }
    await reads(store)
    await store.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (options.role === 'committer') await runCommitter(options.directory)
else if (options.role === 'worker') await runWorker(options.directory, Number(options.concurrency))
else await main()

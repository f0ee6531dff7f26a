/**
 * Checked, durable commits per second of the LMDB metadata store, and what its reads cost.
 *
 *     node bench/micro/metadata-commit.ts [--seconds 2] [--directory DIR]
 *
 * A commit checks and writes two keys of 100 and 300 bytes, as an object's version and its current
 * pointer do. The directory should lie on the drive that is to be measured: a commit ends with a sync.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LmdbMetadataStore } from '../../engine/metadata/lmdb-metadata-store.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    directory: { type: 'string', default: tmpdir() },
    /** Set for the processes that this one starts. */
    worker: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
  },
})
const seconds = Number(options.seconds)
const pointer = Buffer.alloc(100, 'p')
const version = Buffer.alloc(300, 'v')

/** Commits until the time is over; commits per second. */
async function commitRate(store: LmdbMetadataStore, name: string, concurrency: number): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  let commits = 0
  const lane = async (lane: number): Promise<void> => {
    const key = Buffer.from(`object/bucket/${name}/${lane}`)
    for (let i = 0, last: number | undefined = (await store.get(key))?.version; performance.now() < end; i++) {
      const versionKey = Buffer.from(`version/bucket/${name}/${lane}/${concurrency}/${i}`)
      const result = await store.commit({
        checks: [{ key, version: last }, { key: versionKey, version: undefined }],
        puts: [{ key, value: pointer }, { key: versionKey, value: version }],
        deletes: [],
        appends: [],
      })
      if (!result.ok) throw new Error('nobody else writes this lane')
      last = result.version
      commits++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, index) => lane(index)))
  return commits / ((performance.now() - start) / 1000)
}

async function rateOverTwo(directory: string, concurrency: number): Promise<number> {
  const rates = [1, 2].map(async (worker) => {
    const child = spawn(process.execPath, [import.meta.filename, `--worker=${concurrency}-${worker}`, `--seconds=${seconds}`, `--concurrency=${concurrency / 2}`, `--directory=${directory}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    return Number((await child.stdout.toArray()).join(''))
  })
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0)
}

function report(name: string, figure: number, unit: string): void {
  console.log(`${name.padEnd(44)} ${figure.toLocaleString('en', { maximumFractionDigits: 1 }).padStart(10)} ${unit}`)
}

async function reads(store: LmdbMetadataStore): Promise<void> {
  const keys = Array.from({ length: 100_000 }, (_, i) => Buffer.from(`list/bucket/${String(i).padStart(8, '0')}`))
  for (let start = 0; start < keys.length; start += 1000) {
    await store.commit({ checks: [], puts: keys.slice(start, start + 1000).map((key) => ({ key, value: version })), deletes: [], appends: [] })
  }
  for (const round of ['warm-up', 'get of 300 bytes']) {
    const start = performance.now()
    for (let i = 0; i < keys.length; i++) await store.get(keys[(i * 7919) % keys.length] ?? pointer)
    if (round !== 'warm-up') report(round, ((performance.now() - start) / keys.length) * 1000, 'µs')
  }
  for (const round of ['warm-up', 'list of 1,000 rows of 300 bytes']) {
    const start = performance.now()
    for (let i = 0; i < 200; i++) await store.list({ start: keys[i * 400] ?? pointer, end: Buffer.from('list/z'), limit: 1000 })
    if (round !== 'warm-up') report(round, (performance.now() - start) / 200, 'ms')
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(options.directory, 'moraine-bench-'))
  const store = LmdbMetadataStore.open({ directory })
  try {
    for (const concurrency of [1, 32, 256]) report(`commits, one process, ${concurrency} at once`, await commitRate(store, 'one', concurrency), '/s')
    for (const concurrency of [32, 256]) report(`commits, two processes, ${concurrency} at once`, await rateOverTwo(directory, concurrency), '/s')
    await reads(store)
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

if (options.worker === undefined) {
  await main()
} else {
  const store = LmdbMetadataStore.open({ directory: options.directory })
  console.log(await commitRate(store, options.worker, Number(options.concurrency)))
  await store.close()
}

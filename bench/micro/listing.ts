/**
 * Listings of a bucket with many keys, over the real stores: a page from anywhere against the first one, and
 * common prefixes, each of which is one seek.
 *
 *     node bench/micro/listing.ts [--prefixes 100000] [--keys 10] [--directory DIR]
 *
 * The bucket holds `prefixes × keys` empty objects named `p000000/k0`; a million with the defaults.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inBatches } from '../../base/batches.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { openDeployment, openEngine, prepareDeployment, type Engine } from '../../engine/index.ts'

const { values: options } = parseArgs({
  options: {
    prefixes: { type: 'string', default: '100000' },
    keys: { type: 'string', default: '10' },
    directory: { type: 'string', default: tmpdir() },
  },
})
const prefixes = Number(options.prefixes)
const keysOfEach = Number(options.keys)
const bucket = 'listed'
const rounds = 50
const nothing = { etag: 'd41d8cd98f00b204e9800998ecf8427e', checksums: [] }
const attributes = { headers: { 'content-type': 'binary/octet-stream' }, userMetadata: {}, storageClass: 'STANDARD' }

const prefixAt = (at: number) => `p${String(at).padStart(6, '0')}/`

async function fill(engine: Engine): Promise<void> {
  await engine.createBucket({ bucket, ownerId: '0'.repeat(64), region: 'us-east-1' })
  const began = performance.now()
  await inBatches(Array.from({ length: prefixes }, (_, at) => at), 64, async at => {
    for (let key = 0; key < keysOfEach; key++) {
      await engine.putObject({ bucket, key: `${prefixAt(at)}k${key}`, body: (async function* () {})(), finish: () => nothing, attributes, ownerId: '0'.repeat(64) })
    }
  })
  const count = prefixes * keysOfEach
  console.log(`${count.toLocaleString('en')} keys stored at ${Math.round(count / ((performance.now() - began) / 1000)).toLocaleString('en')}/s`)
}

/** Milliseconds of the middle round. */
async function median(run: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await run(round)
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN
}

async function measure(engine: Engine): Promise<void> {
  const random = new SeededRandom(1)
  const first = await median(() => engine.listObjects({ bucket, limit: 1000 }))
  const anywhere = await median(() => engine.listObjects({ bucket, limit: 1000, after: prefixAt(random.integer(prefixes - 200)) }))
  const grouped = await median(() => engine.listObjects({ bucket, limit: 1000, delimiter: '/' }))
  const groupedAnywhere = await median(() => engine.listObjects({ bucket, limit: 1000, delimiter: '/', after: prefixAt(random.integer(prefixes - 1100)) }))
  const print = (name: string, ms: number, base: number) => console.log(`${name.padEnd(44)} ${ms.toFixed(2).padStart(8)} ms   x ${(ms / base).toFixed(2)}`)
  print('1,000 keys, first page', first, first)
  print('1,000 keys, a page from anywhere', anywhere, first)
  print('1,000 common prefixes, first page', grouped, first)
  print('1,000 common prefixes, a page from anywhere', groupedAnywhere, grouped)
  const began = performance.now()
  let pages = 0
  for (let after: string | undefined; ; pages++) {
    const { entries, truncated } = await engine.listObjects({ bucket, limit: 1000, delimiter: '/', ...(after === undefined ? {} : { after }) })
    const last = entries.at(-1)
    if (!truncated || last === undefined) break
    after = last.kind === 'commonPrefix' ? last.prefix : last.key
  }
  console.log(`all ${prefixes.toLocaleString('en')} common prefixes in ${pages + 1} pages: ${((performance.now() - began) / 1000).toFixed(2)} s`)
}

const drive = mkdtempSync(join(options.directory, 'moraine-bench-'))
const prepared = await prepareDeployment({ drives: [drive], clock: systemClock, random: systemRandom })
try {
  const stores = await openDeployment({ drives: [drive], clock: systemClock, random: systemRandom })
  const engine = openEngine({ metadata: stores.metadata, blobs: stores.blobs, clock: systemClock, random: systemRandom, settings: {} })
  await fill(engine)
  await measure(engine)
  await engine.close()
  await stores.close()
} finally {
  prepared.release()
  rmSync(drive, { recursive: true, force: true })
}

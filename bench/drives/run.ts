/**
 * Large objects over sets of drives, whole and with drives gone, beside another server with the same drives and parity.
 *
 *     node bench/drives/run.ts [--peer NAME=KEY,SECRET,COMMAND] [--directory DIR] [--drives 1,4,6] [--parity N]
 *         [--states healthy,degraded] [--operations PUT,GET] [--sizes 10MiB,64MiB] [--concurrency 8] [--seconds 4] [--rounds 2]
 *
 * COMMAND is started with a port and its drives as further arguments. Both servers get directories of DIR as drives, and
 * requests in turn. CPU seconds are those of the server's processes for each GB (10^9 bytes) of objects. Prints rows of a
 * table; the ratio is Moraine's rate to the peer's.
 *
 * Degraded: reads with as many drives gone as there are parities; writes with as many as a write quorum does without, one
 * less where half of the drives are parity.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatSize, parseSize } from '../load/arguments.ts'
import { measureInTurn, type Rounds, type Total } from '../load/measure.ts'
import { type Contestant, type Peer, parsePeer, startMoraine, startPeer } from './contestants.ts'

const operations = ['PUT', 'GET'] as const
type Operation = (typeof operations)[number]

interface Options {
  readonly directory: string
  readonly peer: Peer | undefined
  readonly parity: number | undefined
  readonly states: readonly string[]
  readonly operations: readonly Operation[]
  readonly sizes: readonly number[]
  readonly concurrency: number
  readonly rounds: Rounds
}

/** What is read: half a gigabyte, or eight objects. */
const preparedBytes = 512 * 2 ** 20
const leastPrepared = 8
const patientBytes = 32 * 2 ** 20

function readOptions(): { readonly options: Options; readonly drives: readonly number[] } {
  const { values } = parseArgs({
    options: {
      peer: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
      drives: { type: 'string', default: '1,4,6' },
      parity: { type: 'string' },
      states: { type: 'string', default: 'healthy,degraded' },
      operations: { type: 'string', default: operations.join() },
      sizes: { type: 'string', default: '10MiB,64MiB' },
      concurrency: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '2' },
    },
  })
  const options: Options = {
    directory: values.directory,
    peer: values.peer === undefined ? undefined : parsePeer(values.peer),
    parity: values.parity === undefined ? undefined : Number(values.parity),
    states: values.states.split(','),
    operations: operations.filter(name => values.operations.split(',').includes(name)),
    sizes: values.sizes.split(',').map(parseSize),
    concurrency: Number(values.concurrency),
    rounds: { rounds: Number(values.rounds), warmUpMs: 2000, durationMs: Number(values.seconds) * 1000, preloaded: leastPrepared, payload: 'signed' },
  }
  return { options, drives: values.drives.split(',').map(Number) }
}

/** MinIO's defaults and ours: `engine/drives/plan-sets.ts`. */
function defaultParity(drives: number): number {
  return [0, 0, 1, 1, 2, 2, 3, 3][drives] ?? 4
}

async function measureDrives(drives: number, options: Options): Promise<void> {
  const root = mkdtempSync(join(options.directory, 'moraine-bench-'))
  const parity = options.parity ?? defaultParity(drives)
  const place = { root, drives, env: options.parity === undefined ? {} : { MINIO_STORAGE_CLASS_STANDARD: `EC:${parity}` } }
  const contestants: Contestant[] = []
  try {
    if (options.peer !== undefined) contestants.push(await startPeer(options.peer, place))
    contestants.push(await startMoraine(place))
    const run = (state: string, operation: Operation, isPrepared = false) => measureRows({ drives, parity, state }, operation, isPrepared, contestants, options)
    if (options.states.includes('healthy')) for (const operation of options.operations) await run('healthy', operation)
    if (parity === 0 || !options.states.includes('degraded')) return
    if (!options.states.includes('healthy') && options.operations.includes('GET')) await run('preparing', 'GET')
    const spare = drives - parity === parity ? parity - 1 : parity
    await loseDrives(contestants, drives, spare)
    if (options.operations.includes('PUT')) await run(`${spare} gone`, 'PUT')
    await loseDrives(contestants, drives - spare, parity - spare)
    if (options.operations.includes('GET')) await run(`${parity} gone`, 'GET', true)
  } finally {
    for (const { stop } of contestants) await stop()
    rmSync(root, { recursive: true, force: true })
  }
}

/** The last ones: they are found missing before the next request. */
async function loseDrives(contestants: readonly Contestant[], last: number, count: number): Promise<void> {
  for (const { loseDrive } of contestants) for (let number = last; number > last - count; number--) loseDrive(number)
  await new Promise(resolve => setTimeout(resolve, 3000))
}

async function measureRows(what: { drives: number; parity: number; state: string }, operation: Operation, isPrepared: boolean, contestants: readonly Contestant[], { sizes, concurrency, rounds }: Options): Promise<void> {
  for (const sizeBytes of sizes) {
    const preloaded = Math.max(leastPrepared, Math.floor(preparedBytes / sizeBytes))
    // An object counts once it is done: large ones need the time for several.
    const durationMs = rounds.durationMs * (sizeBytes > patientBytes ? 2 : 1)
    const totals = await measureInTurn({ operation, sizeBytes, concurrency }, contestants, { ...rounds, durationMs, preloaded, isPrepared })
    printRow([`${what.drives - what.parity}+${what.parity}`, what.state, operation, formatSize(sizeBytes)], totals)
  }
}

function printRow(what: readonly string[], totals: readonly Total[]): void {
  const rates = totals.map(({ bytes, seconds }) => bytes / seconds / 2 ** 20)
  const [first = 0] = rates
  const cells = [
    ...what,
    ...rates.map(rate => rate.toFixed(0)),
    totals.length > 1 ? ((rates.at(-1) ?? 0) / first).toFixed(2) : '–',
    ...totals.map(({ serverCpuSeconds, bytes }) => ((serverCpuSeconds * 1e9) / bytes).toFixed(2)),
  ]
  console.log(`| ${cells.join(' | ')} |`)
  for (const { errors, firstError, target } of totals) if (errors > 0) console.log(`${target.name}: ${errors} errors, such as ${firstError}`)
}

const { options, drives } = readOptions()
const names = [...(options.peer === undefined ? [] : [options.peer.name]), 'Moraine']
const heads = ['drives', 'state', 'operation', 'size', ...names.map(name => `${name} MiB/s`), 'ratio', ...names.map(name => `${name} CPU s/GB`)]
console.log(`| ${heads.join(' | ')} |\n|${'---|'.repeat(heads.length)}`)
for (const count of drives) await measureDrives(count, options)

/**
 * What clients keep of their rate while a replaced drive is healed.
 *
 *     node bench/drives/heal.ts [--directory DIR] [--drives 6] [--objects 2000] [--size 1MiB] [--operations PUT,GET]
 *         [--concurrency 8] [--seconds 4] [--rounds 2]
 *
 * Stores objects, then in each round measures the operations, empties the last drive, measures them while it is healed, waits
 * until it is whole, and measures them once more, so that a machine that drifts drifts for both. Prints rows of a table, all
 * rounds together: rates before and after, rates meanwhile, their ratio, and how many blobs the healer made whole in each
 * second that was measured, which it has to do for the ratio to mean anything.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatSize, parseSize } from '../load/arguments.ts'
import { measureInTurn, type Total } from '../load/measure.ts'
import { type Contestant, startMoraine } from './contestants.ts'

const operations = ['PUT', 'GET'] as const
type Operation = (typeof operations)[number]

const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const pollMs = 250
const beginDeadlineMs = 60_000
const healDeadlineMs = 600_000

interface HealState {
  readonly state: string
  readonly id: string
  readonly progress?: { readonly healedBlobs: number }
}

interface Status {
  readonly drives: readonly { readonly state: string }[]
  readonly heal?: HealState
}

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: tmpdir() },
    drives: { type: 'string', default: '6' },
    objects: { type: 'string', default: '2000' },
    size: { type: 'string', default: '1MiB' },
    operations: { type: 'string', default: operations.join() },
    concurrency: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
  },
})
const drives = Number(values.drives)
const objects = Number(values.objects)
const sizeBytes = parseSize(values.size)
const measured = operations.filter(name => values.operations.split(',').includes(name))

function statusOf({ target }: Contestant): Promise<Status> {
  const env = { ...process.env, MORAINE_ROOT_USER: target.accessKeyId, MORAINE_ROOT_PASSWORD: target.secretAccessKey }
  // It exits with 2 while a drive is missing or blank, and prints the same.
  return new Promise(resolve => {
    execFile(process.execPath, [program, 'status', '--json', '--endpoint', target.url], { env }, (_error, stdout) => resolve(JSON.parse(stdout) as Status))
  })
}

async function until(what: string, deadlineMs: number, isTrue: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await isTrue()); await new Promise(resolve => setTimeout(resolve, pollMs))) {
    if (Date.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
  }
}

async function measure(operation: Operation, contestant: Contestant, isPrepared: boolean): Promise<Total> {
  const [total] = await measureInTurn({ operation, sizeBytes, concurrency: Number(values.concurrency) }, [contestant], {
    rounds: 1, warmUpMs: 1000, durationMs: Number(values.seconds) * 1000, preloaded: objects, payload: 'signed', isPrepared,
  })
  if (total === undefined) throw new Error('nothing was measured')
  if (total.errors > 0) console.log(`${operation}: ${total.errors} errors, such as ${total.firstError}`)
  return total
}

class Row {
  readonly operation: Operation
  #whole = { operations: 0, seconds: 0 }
  #meanwhile = { operations: 0, seconds: 0 }
  #healed = { blobs: 0, seconds: 0 }

  constructor(operation: Operation) {
    this.operation = operation
  }

  addWhole({ operations: count, seconds }: Total): void {
    this.#whole = { operations: this.#whole.operations + count, seconds: this.#whole.seconds + seconds }
  }

  addMeanwhile({ operations: count, seconds }: Total, blobs: number, healSeconds: number): void {
    this.#meanwhile = { operations: this.#meanwhile.operations + count, seconds: this.#meanwhile.seconds + seconds }
    this.#healed = { blobs: this.#healed.blobs + blobs, seconds: this.#healed.seconds + healSeconds }
  }

  print(): void {
    const [whole, meanwhile] = [this.#whole, this.#meanwhile].map(({ operations: count, seconds }) => count / seconds)
    const cells = [this.operation, formatSize(sizeBytes), whole?.toFixed(1), meanwhile?.toFixed(1), ((meanwhile ?? 0) / (whole ?? 0)).toFixed(2), (this.#healed.blobs / this.#healed.seconds).toFixed(1)]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

/** The walk that fills the drive, begun after it was emptied. */
async function walkOf(contestant: Contestant, before: string | undefined): Promise<HealState | undefined> {
  const { heal } = await statusOf(contestant)
  return heal === undefined || heal.id === before ? undefined : heal
}

async function measureWhole(contestant: Contestant, rows: readonly Row[]): Promise<void> {
  for (const row of rows) row.addWhole(await measure(row.operation, contestant, true))
}

async function round(contestant: Contestant, rows: readonly Row[]): Promise<void> {
  await measureWhole(contestant, rows)
  const before = (await statusOf(contestant)).heal?.id
  contestant.replaceDrive(drives)
  await until('the drive is being healed', beginDeadlineMs, async () => ((await walkOf(contestant, before))?.progress?.healedBlobs ?? 0) > 0)
  for (const row of rows) {
    const [from, fromMs] = [await walkOf(contestant, before), Date.now()]
    const total = await measure(row.operation, contestant, true)
    const to = await walkOf(contestant, before)
    if (to?.state !== 'running') console.log(`${row.operation}: the heal was over before the measurement: store more objects`)
    const healed = (to?.progress?.healedBlobs ?? 0) - (to?.id === from?.id ? (from?.progress?.healedBlobs ?? 0) : 0)
    row.addMeanwhile(total, healed, (Date.now() - fromMs) / 1000)
  }
  await until('the drive is whole', healDeadlineMs, async () => (await walkOf(contestant, before))?.state === 'done')
  await measureWhole(contestant, rows)
}

const root = mkdtempSync(join(values.directory, 'moraine-bench-'))
const contestant = await startMoraine({ root, drives, env: {} })
try {
  await measureInTurn({ operation: 'GET', sizeBytes, concurrency: Number(values.concurrency) }, [contestant], { rounds: 1, warmUpMs: 0, durationMs: 1, preloaded: objects, payload: 'signed' })
  // The keys that are written are there from now on: each PUT that counts replaces an object.
  await measure('PUT', contestant, true)
  const rows = measured.map(operation => new Row(operation))
  for (let index = 0; index < Number(values.rounds); index += 1) await round(contestant, rows)
  const heads = ['operation', 'size', 'whole /s', 'healing /s', 'ratio', 'healed blobs /s']
  console.log(`| ${heads.join(' | ')} |\n|${'---|'.repeat(heads.length)}`)
  for (const row of rows) row.print()
} finally {
  await contestant.stop()
  rmSync(root, { recursive: true, force: true })
}

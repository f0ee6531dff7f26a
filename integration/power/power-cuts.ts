/**
 * Power cuts from a recording: a server works on ext4 file systems whose every write and flush is logged; then, for one place
 * of the log after another, the disks are what a cut there leaves of them, are mounted, and are opened and compared with what
 * the clients were told.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { seededRandom } from '../crash/content.ts'
import { startServer } from '../start-server.ts'
import { Disks } from './disks.ts'
import { Examiner } from './examiner.ts'
import { type Expectation, History } from './history.ts'
import { bucket, connectS3, load, readState } from './load.ts'
import { Recorder, type Cut, type Fault } from './recorder.ts'

export interface PowerOptions {
  /** The recorder. */
  readonly program: string
  readonly seed: number
  readonly disks: number
  /** How many disks may be lost. */
  readonly parity: number
  readonly points: number
  readonly loadMs: number
  /** What happens to disks during the load: from a time on, until the next entry for the same disk. */
  readonly faults?: readonly { readonly afterMs: number; readonly disk: number; readonly fault: Fault }[]
  /** No flush of the first disk does anything: more than it may be asked to survive. */
  readonly liesAlways?: boolean
  /** Of each disk. */
  readonly imageMiB?: number
}

export interface PowerOutcome {
  readonly points: number
  /** Of them: how many cut right at a flush, kept a prefix, kept any part of what was not flushed. */
  readonly kinds: Readonly<Record<Kind, number>>
  readonly acknowledged: number
  readonly unknown: number
  readonly logEntries: number
  readonly problems: readonly string[]
}

const kinds = ['flush', 'prefix', 'subset'] as const
type Kind = (typeof kinds)[number]

/** A place of the log, and what becomes of disks beyond the cut. */
interface Point extends Cut {
  readonly kind: Kind
  /** Not mounted. */
  readonly away: readonly number[]
  /** Mounted, and empty. */
  readonly replaced: readonly number[]
}

/** Of so many points one is served by a real server too. */
const pointsOfServer = 37
/** Of one point, in the report. */
const maxFindings = 3
const usualImageMiB = 128
/** Objects in all of a recording, so that disks of the usual size do not fill up. */
const bytesOfDisk = 30 << 20

export async function cutPower(options: PowerOptions): Promise<PowerOutcome> {
  const { program, seed, disks: count, parity } = options
  const recorder = await Recorder.start(program, count, (options.imageMiB ?? usualImageMiB) << 20)
  const disks = new Disks(recorder, count)
  try {
    await disks.make()
    await disks.mount()
    const history = new History()
    const readyAt = await record(options, recorder, disks, history)
    await disks.unmount()
    const { flushes, end } = await recorder.flushes()
    await recorder.replay()
    // One that failed during the load is one of those that may be lost.
    const losable = options.faults === undefined ? disks.folders.keys().toArray() : [...new Set(options.faults.map(({ disk }) => disk))]
    const points = choosePoints({ seed, count: options.points, flushes: flushes.filter(at => at > readyAt), from: readyAt, end, disks: count, parity, losable })
      .map(point => (options.liesAlways === true ? { ...point, keep: 'none' as const, liar: 0 } : point))
    const problems = await replay(points, recorder, disks, history)
    const tally = Object.fromEntries(kinds.map(kind => [kind, points.filter(point => point.kind === kind).length])) as Record<Kind, number>
    return { points: points.length, kinds: tally, acknowledged: history.acknowledged, unknown: history.unknown, logEntries: end, problems }
  } finally {
    await disks.release()
    await recorder.close()
  }
}

/** Resolves with the position from which on the bucket is there. */
async function record({ seed, parity, loadMs, faults = [] }: PowerOptions, recorder: Recorder, disks: Disks, history: History): Promise<number> {
  const server = await startServer({ drive: disks.words, workers: 2, args: ['--quiet'], env: { MORAINE_LOG_LEVEL: 'warn', ...(parity === 0 ? {} : { MORAINE_PARITY: String(parity) }) } })
  const s3: S3Client = connectS3(server)
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
    const readyAt = await recorder.position()
    const stop = new AbortController()
    const loading = load({ recorder, history, s3, seed, signal: stop.signal, maxBytes: bytesOfDisk * Math.max(1, disks.count - parity) })
    const timers = faults.map(({ afterMs, disk, fault }) => setTimeout(() => void recorder.fail(disk, fault), afterMs))
    await Promise.race([loading, new Promise(resolve => setTimeout(resolve, loadMs))])
    stop.abort()
    for (const timer of timers) clearTimeout(timer)
    for (let disk = 0; disk < disks.count; disk++) await recorder.fail(disk, {})
    await loading
    return readyAt
  } catch (error) {
    throw new Error(`${String(error)}\n${server.logs().split('\n').slice(-20).join('\n')}`, { cause: error })
  } finally {
    s3.destroy()
    await server.kill9()
  }
}

interface Choice {
  readonly seed: number
  readonly count: number
  readonly flushes: readonly number[]
  readonly from: number
  readonly end: number
  readonly disks: number
  readonly parity: number
  /** The only disks that are lost beyond the cut. */
  readonly losable: readonly number[]
}

/** In the order of the log. */
function choosePoints({ seed, count, flushes, from, end, disks, parity, losable }: Choice): Point[] {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  return Array.from({ length: count }, (_, index): Point => {
    const kind = kinds[index % kinds.length] ?? 'subset'
    const flush = flushes[below(flushes.length)] ?? end
    // Right before a flush takes hold, or right after it.
    const at = kind === 'flush' ? flush - below(2) : from + below(end - from + 1)
    const keep = kind === 'subset' ? 'some' : kind === 'prefix' || random() < 0.5 ? 'all' : 'none'
    const cut = { at, keep, seed: below(2 ** 32), kind } as const
    return { ...cut, ...chooseLosses({ disks, parity, losable }, below) }
  }).sort((a, b) => a.at - b.at)
}

/** Up to `parity` disks that are gone, replaced by new ones, or that lied. So many are left that an epoch can be begun on them. */
function chooseLosses({ disks, parity, losable }: Pick<Choice, 'disks' | 'parity' | 'losable'>, below: (limit: number) => number): Pick<Point, 'away' | 'replaced' | 'liar'> {
  const lost = [...new Set(Array.from({ length: below(parity + 1) }, () => losable[below(losable.length)] ?? 0))]
  const [first, ...others] = lost
  const maxAway = disks === 2 * parity ? parity - 1 : parity
  const fate = below(3)
  if (first === undefined) return { away: [], replaced: [] }
  if (fate === 0) return { away: lost.slice(0, maxAway), replaced: lost.slice(maxAway) }
  return fate === 1 ? { away: others, replaced: [first] } : { away: others, replaced: [], liar: first }
}

async function replay(points: readonly Point[], recorder: Recorder, disks: Disks, history: History): Promise<string[]> {
  const problems: string[] = []
  const examiner = new Examiner()
  try {
    for (const [index, point] of points.entries()) {
      await recorder.cut(point)
      const found = await examineAt({ point, disks, examiner, history, byServer: index % pointsOfServer === pointsOfServer - 1 })
      if (found.length > 0) {
        problems.push(`${JSON.stringify(point)}: ${found.slice(0, maxFindings).join('; ')}`)
        // It may have files open still.
        examiner.close()
      }
      await disks.unmount().catch(async () => {
        // It may have a file of a failing disk open still; its process ends soon.
        examiner.close()
        await sleep(2000)
        await disks.unmount()
      })
      problems.push(...disks.strayFiles().map(path => `${JSON.stringify(point)}: ${path} was written to the folder of a disk that is not mounted`))
    }
  } finally {
    examiner.close()
  }
  return problems
}

interface Examination {
  readonly point: Point
  readonly disks: Disks
  readonly examiner: Examiner
  readonly history: History
  /** A real server starts on the drives first, is read, and killed. */
  readonly byServer: boolean
}

async function examineAt({ point, disks, examiner, history, byServer }: Examination): Promise<readonly string[]> {
  const there = disks.folders.keys().toArray().filter(index => !point.away.includes(index))
  for (const index of there) {
    try {
      await disks.mount([index])
    } catch (error) {
      // What a disk that lies about flushes leaves need not be a file system.
      if (index !== point.liar) return [`disk ${index + 1} cannot be mounted: ${String(error)}`]
    }
  }
  for (const index of point.replaced) disks.wipe(index)
  const expected = history.expectedAt(point.at)
  const served = byServer ? await compareByServer(disks, expected).catch((error: unknown) => [`${String(error)} ${disks.epochs()}`]) : []
  return [...served, ...(await examiner.examine({ drives: disks.folders, bucket, expected }))]
}

async function compareByServer(disks: Disks, expected: readonly Expectation[]): Promise<string[]> {
  const server = await startServer({ drive: disks.words, workers: 2, args: ['--quiet'], env: { MORAINE_LOG_LEVEL: 'warn' } })
  const s3 = connectS3(server)
  try {
    const problems: string[] = []
    for (const { key, allowed } of expected) {
      const found = await readState(s3, key)
      if (!allowed.includes(found ?? null)) problems.push(`the server answers ${found ?? 'nothing'} for ${key}, which should hold ${allowed.join(' or ')}`)
    }
    return problems
  } finally {
    s3.destroy()
    await server.kill9()
  }
}

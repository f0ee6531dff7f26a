import type { Clock } from '../../../base/clock.ts'
import { hourMs, secondMs } from '../../../base/units.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Lease } from '../jobs/lease.ts'
import type { CopiesState, CareRows } from './care-rows.ts'
import type { CopyFound, OnTable } from './copy-walker.ts'

export interface MetadataScrubOptions {
  readonly rows: Pick<CareRows, 'copies' | 'putCopies'>
  /** The directories of the copies that there are now. */
  readonly current: () => Promise<readonly string[]>
  /** Walks over a copy from a table on. Never rejects. */
  readonly walk: (directory: string, from: number, onTable: OnTable, signal: AbortSignal) => Promise<CopyFound>
  /** Damaged copies, of which there are others that are whole. */
  readonly onDamaged: (directories: readonly string[]) => void
  readonly lease: Lease
  /** Well under the lease's duration. */
  readonly renewMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** From the end of one scrub to the next. */
  readonly intervalMs: number
  readonly signal: AbortSignal
}

const pollMs = secondMs
/** After damage the copies are looked at again so soon: those that were made anew among them. */
const recheckMs = hourMs

/**
 * Walks over all copies of the metadata now and then, one table after the other, each proven whole by itself; on the worker with
 * the lease. A walk resumes at the table that it was at, as long as the copies are the same. Copies that are damaged are told of
 * together, once all have been looked at: only then is it known from which the others can be made anew. Ends with the signal; never rejects.
 */
export async function scrubMetadata(options: MetadataScrubOptions): Promise<void> {
  const { signal, clock, logger, lease } = options
  while (!signal.aborted) {
    await round(options).catch((err: unknown) => logger.error({ err }, 'the scrub of the metadata failed'))
    await clock.sleep(pollMs, signal)
  }
  await lease.release().catch((err: unknown) => logger.error({ err }, 'a lease could not be given back'))
}

async function round(options: MetadataScrubOptions): Promise<void> {
  const { lease, rows, clock, intervalMs, current } = options
  const before = await rows.copies()
  const nowMs = clock.nowMs()
  if (before?.state === 'done') {
    const restMs = before.damaged.length > 0 ? Math.min(recheckMs, intervalMs) : intervalMs
    if (nowMs - before.updatedAtMs < restMs && before.updatedAtMs <= nowMs) return
  }
  if (!(await lease.hold())) return
  const directories = await current()
  const begun: CopiesState = { state: 'running', startedAtMs: nowMs, updatedAtMs: nowMs, directories, copy: 0, table: 0, rows: 0, damaged: [] }
  // The first scrub of a deployment is due an interval after its first start.
  if (before === undefined) await rows.putCopies({ ...begun, state: 'done' })
  else await walkAll(options, before.state === 'running' && isSame(before.directories, directories) ? before : begun)
}

async function walkAll(options: MetadataScrubOptions, begun: CopiesState): Promise<void> {
  const { rows, clock, signal, logger, onDamaged, current } = options
  const { directories } = begun
  let state = begun
  const save: Save = async change => {
    state = { ...state, ...change, updatedAtMs: clock.nowMs() }
    await rows.putCopies(state)
  }
  await save({})
  for (const directory of directories.slice(state.copy)) {
    let walked = await walkHolding(options, directory, state.table, save)
    // A copy that was just being made anew looks damaged, once.
    if (walked?.found.kind === 'damaged') walked = await walkHolding(options, directory, 0, save)
    if (signal.aborted || walked === undefined) return
    const isDamaged = walked.found.kind === 'damaged'
    if (walked.found.kind === 'damaged') logger.error({ directory }, `a copy of the metadata is damaged: ${walked.found.message}`)
    await save({ copy: state.copy + 1, table: 0, rows: state.rows + walked.rows, damaged: isDamaged ? [...state.damaged, directory] : state.damaged })
  }
  await save({ state: 'done' })
  const { damaged } = state
  if (damaged.length === 0) return
  if (damaged.length === directories.length) logger.error({ damaged }, 'no copy of the metadata is whole: rows are missing, and nothing that may be unused is deleted')
  // Otherwise they were made anew meanwhile.
  else if (isSame(directories, await current())) onDamaged(damaged)
}

type Save = (change: Partial<CopiesState>) => Promise<void>

/** Undefined when another worker has the lease. */
async function walkHolding({ walk, lease, renewMs, clock, signal }: MetadataScrubOptions, directory: string, from: number, save: Save): Promise<{ readonly found: CopyFound; readonly rows: number } | undefined> {
  const stop = new AbortController()
  const ended = new AbortController()
  const latest = { table: from, rows: 0 }
  const onTable: OnTable = (table, rows) => Object.assign(latest, { table, rows })
  const walking = walk(directory, from, onTable, AbortSignal.any([signal, stop.signal])).finally(() => ended.abort())
  const renewing = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(renewMs, ended.signal)
      if (ended.signal.aborted) return
      if (await lease.hold()) await save({ table: latest.table })
      else stop.abort()
    }
  }
  await renewing().catch(() => stop.abort())
  const found = await walking
  return stop.signal.aborted ? undefined : { found, rows: latest.rows }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((directory, at) => others[at] === directory)
}

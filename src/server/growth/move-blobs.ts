import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import type { MoveProgress, SetGrowth } from '../../../engine/index.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Lease } from '../jobs/lease.ts'
import type { MoveRows, RebalanceRow } from './move-rows.ts'

export interface MoveBlobsOptions {
  readonly growth: SetGrowth
  readonly rows: MoveRows
  /** Of the worker that moves. */
  readonly lease: Lease
  /** Well under the lease's duration. */
  readonly renewMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Of data, at most, on average. */
  readonly bytesPerSecond: number
  readonly signal: AbortSignal
}

const pollMs = secondMs
/** How often progress is stored. */
const saveMs = 2 * secondMs

/**
 * Keeps this worker from writing to sets that blobs are moved off; on the worker with the lease also moves them, and rebalances
 * when that is asked for. A drain goes before a rebalance. Ends with the signal; never rejects.
 */
export async function moveBlobs(options: MoveBlobsOptions): Promise<void> {
  const { growth, clock, signal, logger, lease } = options
  const work = new Moves(options)
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      await growth.states().catch((err: unknown) => logger.error({ err }, 'the states of the sets cannot be read'))
      await clock.sleep(pollMs, signal)
    }
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await work.round().catch((err: unknown) => logger.error({ err }, 'blobs could not be moved; this is tried again'))
      await clock.sleep(pollMs, signal)
    }
    await lease.release().catch((err: unknown) => logger.error({ err }, 'a lease could not be given back'))
  }
  await Promise.all([follow(), run()])
}

class Moves {
  readonly #options: MoveBlobsOptions
  #heldUntilMs = -Infinity

  constructor(options: MoveBlobsOptions) {
    this.#options = options
  }

  async round(): Promise<void> {
    const { rows } = this.#options
    const drain = await this.#dueDrain()
    const rebalance = drain === undefined ? await rows.rebalance() : undefined
    if ((drain === undefined && rebalance?.state !== 'running') || !(await this.#hold())) return
    if (drain !== undefined) await this.#drain(drain.set, drain.sinceMs)
    else if (rebalance !== undefined) await this.#rebalance(rebalance)
  }

  async #dueDrain(): Promise<{ readonly set: number; readonly sinceMs: number } | undefined> {
    for (const [set, { state, sinceMs }] of await this.#options.growth.states()) if (state !== 'empty') return { set, sinceMs }
    return undefined
  }

  async #hold(): Promise<boolean> {
    const { clock, lease, renewMs } = this.#options
    if (clock.monotonicMs() < this.#heldUntilMs) return true
    if (!(await lease.hold())) return false
    this.#heldUntilMs = clock.monotonicMs() + renewMs
    return true
  }

  async #drain(set: number, sinceMs: number): Promise<void> {
    const { growth, rows, clock, logger } = this.#options
    const before = await rows.drain(set)
    const save = (progress: MoveProgress): Promise<void> => rows.putDrain(set, { sinceMs, updatedAtMs: clock.nowMs(), progress })
    const isNeeded = async (): Promise<boolean> => {
      const due = await this.#dueDrain()
      return due?.set === set && due.sinceMs === sinceMs
    }
    const from = before?.sinceMs === sinceMs ? before.progress : undefined
    const { isEmpty, progress } = await growth.drain(set, sinceMs, from, this.#inputOf(save, isNeeded))
    await save(progress)
    if (isEmpty) logger.warn({ set: set + 1, ...progress }, 'a set is empty: its drives may be left out at the next start')
  }

  async #rebalance({ id, progress: from }: RebalanceRow): Promise<void> {
    const { growth, rows, clock, logger } = this.#options
    let isRunning = true
    const save = async (progress: MoveProgress): Promise<void> => {
      isRunning = await rows.putRebalance({ progress, updatedAtMs: clock.nowMs() }, id)
    }
    const moved = await growth.rebalance(from, this.#inputOf(save, async () => isRunning && (await this.#dueDrain()) === undefined))
    if (moved === undefined) return
    const { isDone, progress } = moved
    await rows.putRebalance({ progress, updatedAtMs: clock.nowMs(), ...(isDone ? { state: 'done' as const } : {}) }, id)
    if (isDone) logger.info({ ...progress }, 'the sets are as full as each other')
  }

  /** Saves now and then, and stops what is not wanted any more or is another worker's now. */
  #inputOf(save: (progress: MoveProgress) => Promise<void>, isNeeded: () => Promise<boolean>) {
    const { clock, signal, bytesPerSecond } = this.#options
    const stop = new AbortController()
    let savedMs = -Infinity
    const onProgress = async (progress: MoveProgress): Promise<void> => {
      if (clock.monotonicMs() - savedMs < saveMs) return
      savedMs = clock.monotonicMs()
      await save(progress)
      if (!(await this.#hold()) || !(await isNeeded())) stop.abort()
    }
    return { bytesPerSecond, signal: AbortSignal.any([signal, stop.signal]), onProgress }
  }
}

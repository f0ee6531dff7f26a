import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import type { DriveKeeper, WalkProgress } from '../../../engine/index.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Lease } from '../jobs/lease.ts'
import type { CareRows, WalkName, WalkState } from './care-rows.ts'

export interface DriveCareOptions {
  readonly keeper: DriveKeeper
  readonly rows: CareRows
  /** Of the worker that formats replaced drives and walks over all blobs. */
  readonly lease: Lease
  /** Well under the lease's duration. */
  readonly renewMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** From the end of one scrub to the next. */
  readonly scrubIntervalMs: number
  readonly scrubBytesPerSecond: number
  /** A fresh id for a request. */
  readonly nextId: () => string
  /** Gives drives that were replaced what each has a copy of, beside blobs. */
  readonly shareKeys: () => Promise<void>
  readonly signal: AbortSignal
}

const pollMs = secondMs
/** How often a walk's progress is stored. */
const saveMs = 2 * secondMs
const shareMs = 2 * secondMs

/**
 * Watches the drives of this worker; on the worker with the lease also formats drives that were replaced, walks over all
 * blobs when that is asked for, and scrubs. Ends with the signal; never rejects.
 */
export async function careForDrives(options: DriveCareOptions): Promise<void> {
  const { keeper, logger, signal, clock, rows, nextId } = options
  const request = (): void => {
    rows.putRequest({ id: nextId(), requestedAtMs: clock.nowMs() }).catch((err: unknown) => logger.error({ err }, 'a returned drive could not be noted for healing'))
  }
  const watched = keeper.run({
    signal,
    onChange: (drive, condition, before) => {
      const { kind } = condition
      if (kind === 'ok') logger.warn({ drive }, 'a drive is in use again')
      else logger.error({ drive, ...condition }, kind === 'full' ? 'a drive is full: nothing new is written to it' : 'a drive is taken out')
      if (kind === 'ok' && before.kind !== 'ok') request()
    },
  })
  await Promise.all([watched, keeper.isErasureCoded ? new DriveCare(options).run() : undefined])
}

class DriveCare {
  readonly #options: DriveCareOptions
  #heldUntilMs = -Infinity
  /** Each start compares the drives once: nobody else knows what was missed before. */
  #startId: string | undefined
  #isLeaseless = false

  constructor(options: DriveCareOptions) {
    this.#options = options
    this.#startId = options.nextId()
  }

  async run(): Promise<void> {
    const { signal, clock, logger, lease } = this.#options
    while (!signal.aborted) {
      await this.#round().catch((err: unknown) => logger.error({ err }, 'the care for the drives failed'))
      await clock.sleep(pollMs, signal)
    }
    await lease.release().catch((err: unknown) => logger.error({ err }, 'a lease could not be given back'))
  }

  async #round(): Promise<void> {
    const { keeper, logger } = this.#options
    const isHeld = await this.#hold().catch((err: unknown) => {
      // Too few drives are there to commit anything, a lease among it, and a replaced one may be what is wanting. Whoever
      // else formats it too gives it the same record.
      if (!this.#isLeaseless) logger.error({ err }, 'no worker can hold the lease of the drives')
      this.#isLeaseless = true
      return undefined
    })
    if (isHeld === undefined) await keeper.formatReplaced()
    else this.#isLeaseless = false
    if (isHeld !== true) return
    const formatted = await keeper.formatReplaced()
    if (formatted > 0) {
      logger.warn({ drives: formatted }, 'empty drives were formatted')
      this.#startId = this.#options.nextId()
    }
    const due = await this.#dueWalk()
    if (due !== undefined) await this.#walk(due.name, due.state)
  }

  async #hold(): Promise<boolean> {
    const { clock, lease, renewMs } = this.#options
    if (clock.monotonicMs() < this.#heldUntilMs) return true
    if (!(await lease.hold())) return false
    this.#heldUntilMs = clock.monotonicMs() + renewMs
    return true
  }

  /** What was asked for goes before what was interrupted, and that before a new scrub. */
  async #dueWalk(): Promise<{ readonly name: WalkName; readonly state: WalkState } | undefined> {
    const { rows, clock, scrubIntervalMs } = this.#options
    const nowMs = clock.nowMs()
    const begin = (id: string, kind: WalkState['kind']): WalkState => ({ id, kind, state: 'running', startedAtMs: nowMs, updatedAtMs: nowMs, progress: undefined })
    const heal = await rows.walk('heal')
    const id = (await this.#newRequest(heal)) ?? this.#startId
    this.#startId = undefined
    if (id !== undefined) return { name: 'heal', state: begin(id, 'missing') }
    if (heal?.state === 'running') return { name: 'heal', state: heal }
    const scrub = await rows.walk('scrub')
    if (scrub?.state === 'running') return { name: 'scrub', state: scrub }
    // The first scrub of a deployment is due an interval after its first start.
    if (scrub === undefined) await rows.putWalk('scrub', { ...begin('first', 'everything'), state: 'done' })
    else if (nowMs - scrub.updatedAtMs >= scrubIntervalMs || scrub.updatedAtMs > nowMs) return { name: 'scrub', state: begin(String(nowMs), 'everything') }
    return undefined
  }

  async #newRequest(heal: WalkState | undefined): Promise<string | undefined> {
    const request = await this.#options.rows.request()
    return request !== undefined && request.id !== heal?.id && request.requestedAtMs >= (heal?.startedAtMs ?? 0) ? request.id : undefined
  }

  /** A drive that hangs is not waited for: this worker has clients. */
  async #shareKeys(): Promise<void> {
    const { shareKeys, logger, clock } = this.#options
    const shared = new AbortController()
    const sharing = shareKeys().catch((err: unknown) => logger.error({ err }, 'a drive could not be given its copy of the keyring')).finally(() => shared.abort('finished'))
    await Promise.race([sharing, clock.sleep(shareMs, shared.signal)])
  }

  async #walk(name: WalkName, begun: WalkState): Promise<void> {
    const { keeper, rows, clock, signal, scrubBytesPerSecond, logger } = this.#options
    const stop = new AbortController()
    let savedMs = clock.monotonicMs()
    const save = async (state: WalkState['state'], progress: WalkProgress | undefined): Promise<void> => {
      savedMs = clock.monotonicMs()
      await rows.putWalk(name, { ...begun, state, updatedAtMs: clock.nowMs(), progress })
    }
    await save('running', begun.progress)
    // Who asked may have seen a drive come back that this worker has not looked at since.
    await keeper.lookAgain()
    if (name === 'heal') await this.#shareKeys()
    const progress = await keeper.walk({
      kind: begun.kind,
      ...(begun.progress === undefined ? {} : { from: begun.progress }),
      ...(name === 'scrub' ? { bytesPerSecond: scrubBytesPerSecond } : {}),
      signal: AbortSignal.any([signal, stop.signal]),
      onProgress: async current => {
        if (clock.monotonicMs() - savedMs < saveMs) return
        await save('running', current)
        const isNeeded = await this.#hold()
        const isOvertaken = (await this.#newRequest(name === 'heal' ? begun : await rows.walk('heal'))) !== undefined
        if (!isNeeded || isOvertaken || (await keeper.formatReplaced()) > 0) stop.abort()
      },
    })
    await save(progress.done === progress.directories ? 'done' : 'running', progress)
    if (progress.done === progress.directories && progress.checkedBlobs > 0) logger.info({ walk: name, ...progress }, 'the drives were compared')
  }
}

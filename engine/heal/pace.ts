import type { Clock } from '../../base/clock.ts'

/** What this process does for clients. */
export interface Foreground {
  /** A request is under way, or was a moment ago. */
  readonly isBusy: boolean
}

export interface PaceOptions {
  readonly clock: Clock
  readonly foreground?: Foreground | undefined
  /** After a piece of work it rests so many times as long as that took, and leaves the drives to others. */
  readonly restFactor?: number
  /** The same while clients are served. */
  readonly busyRestFactor?: number
}

const defaultRestFactor = 1
const defaultBusyRestFactor = 4

/**
 * How the healer makes way: it rests after each piece of its work, and longer while clients are served. A piece takes longer
 * the busier drives and processor are, and the rest grows with it.
 */
export class Pace {
  readonly #options: PaceOptions
  #startedMs: number
  #owedMs = 0

  /** Work begins now. */
  constructor(options: PaceOptions) {
    this.#options = options
    this.#startedMs = options.clock.monotonicMs()
  }

  /** After a piece of work; the next begins when this resolves, which a signal hastens. */
  async rest(signal?: AbortSignal): Promise<void> {
    const { clock, foreground, restFactor = defaultRestFactor, busyRestFactor = defaultBusyRestFactor } = this.#options
    this.#owedMs += (clock.monotonicMs() - this.#startedMs) * (foreground?.isBusy === true ? busyRestFactor : restFactor)
    if (this.#owedMs >= 1) {
      await clock.sleep(this.#owedMs, signal)
      this.#owedMs = 0
    }
    this.#startedMs = clock.monotonicMs()
  }
}

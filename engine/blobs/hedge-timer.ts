import type { Clock } from '../../base/clock.ts'

interface Waiting {
  readonly untilMs: number
  readonly late: () => void
}

/**
 * Tells those whose wait takes longer than `afterMs`. One sleep serves all waits, and is begun again only when it is over
 * and somebody still waits: most waits end within a millisecond, and a timer for each would cost more than what it is for.
 */
export class HedgeTimer {
  readonly #clock: Clock
  readonly #afterMs: number
  /** In the order of their times. */
  readonly #waiting = new Set<Waiting>()
  readonly #closed = new AbortController()
  #isSleeping = false

  constructor(clock: Clock, afterMs: number) {
    this.#clock = clock
    this.#afterMs = afterMs
  }

  /** Calls `late` once, unless the wait is over before. */
  begin(late: () => void): { readonly end: () => void } {
    if (this.#closed.signal.aborted) return { end: () => {} }
    const one = { untilMs: this.#clock.monotonicMs() + this.#afterMs, late }
    this.#waiting.add(one)
    if (!this.#isSleeping) void this.#watch()
    return { end: () => this.#waiting.delete(one) }
  }

  /** Nobody is told any more. */
  close(): void {
    this.#waiting.clear()
    // Without a reason it would make an error with a stack.
    this.#closed.abort('closed')
  }

  async #watch(): Promise<void> {
    this.#isSleeping = true
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined) break
      const leftMs = first.untilMs - this.#clock.monotonicMs()
      if (leftMs > 0) await this.#clock.sleep(leftMs, this.#closed.signal)
      else if (this.#waiting.delete(first)) first.late()
    }
    this.#isSleeping = false
  }
}

import { assert } from './assert.ts'
import type { Clock } from './clock.ts'

interface Sleeper {
  readonly wakeMs: number
  readonly wake: () => void
}

/** A Clock that moves only when it is told to. */
export class SimulatedClock implements Clock {
  #nowMs: number
  #elapsedMs = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (durationMs <= 0 || signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = { wakeMs: this.#elapsedMs + durationMs, wake }
      const sleepers = this.#sleepers
      function wake(): void {
        sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Lets time pass; sleepers whose time has come wake in order. */
  advance(durationMs: number): void {
    assert(durationMs >= 0, 'time does not run backwards: use step')
    this.#nowMs += durationMs
    this.#elapsedMs += durationMs
    const due = [...this.#sleepers].filter((sleeper) => sleeper.wakeMs <= this.#elapsedMs)
    for (const sleeper of due.sort((a, b) => a.wakeMs - b.wakeMs)) sleeper.wake()
  }

  /** Sets the wall clock forwards or back, as an operator or NTP does; the monotonic clock stays. */
  step(byMs: number): void {
    this.#nowMs += byMs
  }
}

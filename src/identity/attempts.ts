import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { minuteMs } from '../../base/units.ts'

/** Slows down the guessing of passwords: after five wrong ones for a name nobody may try it for a while, longer each time. */
export class Attempts {
  readonly #clock: Clock
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  isLocked(name: string): boolean {
    const failed = this.#failures.get(keyOf(name))
    return failed !== undefined && failed.count >= freeAttempts && this.#clock.monotonicMs() < failed.untilMs
  }

  failed(name: string): void {
    const key = keyOf(name)
    const nowMs = this.#clock.monotonicMs()
    const before = this.#failures.get(key)
    const isForgotten = before !== undefined && nowMs - before.untilMs > forgetMs
    const count = before === undefined || isForgotten ? 1 : before.count + 1
    const lockMs = count < freeAttempts ? 0 : Math.min(minuteMs * 2 ** (count - freeAttempts), longestLockMs)
    this.#failures.delete(key)
    if (this.#failures.size >= maxNames) this.#failures.delete(this.#failures.keys().next().value ?? key)
    this.#failures.set(key, { count, untilMs: nowMs + lockMs })
  }

  succeeded(name: string): void {
    this.#failures.delete(keyOf(name))
  }
}

/** As long for a long name as for a short one: whoever makes names up fills no memory. */
const keyOf = (name: string): string => hash('sha256', name.toLowerCase(), 'base64')

const freeAttempts = 5
const longestLockMs = 15 * minuteMs
const forgetMs = 30 * minuteMs
const maxNames = 10_000

import { randomFillSync } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** The machine's own clock and randomness: the only file that may touch `Date`, timers and `node:crypto` for them. */

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, durationMs)
      signal?.addEventListener('abort', finish)
    }),
}

/** Drawn at once for many ids: a draw costs more than the bytes. */
const poolBytes = 4096
let pool = Buffer.alloc(0)
let given = 0

export const systemRandom: Random = {
  bytes: (count) => {
    if (count > poolBytes / 16) return randomFillSync(Buffer.allocUnsafe(count))
    if (given + count > pool.length) {
      // A new pool each time: what was given stays its owner's.
      pool = randomFillSync(Buffer.allocUnsafeSlow(poolBytes))
      given = 0
    }
    given += count
    return pool.subarray(given - count, given)
  },
}

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

export const systemRandom: Random = {
  bytes: (count) => randomFillSync(Buffer.allocUnsafe(count)),
}

import { expect, it } from 'vitest'
import { restartDelayMs } from './restart-delay.ts'

it.each([
  [[], 0],
  [[60_000], 0],
  [[5], 100],
  [[5, 5], 200],
  [[5, 5, 5, 5], 800],
  [[5, 60_000], 0],
  [[5, 60_000, 5], 100],
  [[1, 1, 1, 1, 1, 1, 1, 1], 10_000],
])('lives of %j ms: wait %i ms', (livedMs, delayMs) => {
  expect(restartDelayMs(livedMs)).toBe(delayMs)
})

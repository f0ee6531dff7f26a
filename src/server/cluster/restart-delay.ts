import { secondMs } from '../../../base/units.ts'

const healthyMs = 10 * secondMs
const firstDelayMs = 100
const longestDelayMs = 10 * secondMs

/**
 * How long to wait before a worker that died is replaced. `livedMs` are the lifetimes of the workers
 * that died before in its place, the latest last: at once after a healthy life, else doubling.
 */
export function restartDelayMs(livedMs: readonly number[]): number {
  let quickDeaths = 0
  for (let index = livedMs.length - 1; index >= 0 && (livedMs[index] ?? 0) < healthyMs; index--) quickDeaths++
  return quickDeaths === 0 ? 0 : Math.min(firstDelayMs * 2 ** (quickDeaths - 1), longestDelayMs)
}

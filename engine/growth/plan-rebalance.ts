/** How full a set is: bytes of shards. */
export interface SetFill {
  readonly set: number
  readonly storedBytes: number
  readonly freeBytes: number
}

/** Sets are even when each is as full as all of them together, give or take this part of it. */
export const evenWithin = 0.02

/**
 * What each set is to give (positive) or take (negative), in bytes of shards, so that all are as full as all of them together.
 * Sets that are even enough give and take nothing, unless one is not: then those below take. Pure.
 */
export function planRebalance(fills: readonly SetFill[]): ReadonlyMap<number, number> {
  const stored = fills.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  const room = fills.reduce((sum, { freeBytes }) => sum + freeBytes, stored)
  const excess = fills.map(({ set, storedBytes, freeBytes }) => {
    const goalBytes = room === 0 ? storedBytes : Math.floor((stored / room) * (storedBytes + freeBytes))
    return { set, bytes: storedBytes - goalBytes, isOff: storedBytes - goalBytes > goalBytes * evenWithin }
  })
  if (!excess.some(({ isOff }) => isOff)) return new Map(fills.map(({ set }) => [set, 0]))
  return new Map(excess.map(({ set, bytes, isOff }) => [set, isOff || bytes < 0 ? bytes : 0]))
}

/** The set that is to take most, of those that still are to take something. Pure. */
export function neediest(excess: ReadonlyMap<number, number>): number | undefined {
  const [first] = [...excess].filter(([, bytes]) => bytes < 0).toSorted(([, a], [, b]) => a - b)
  return first?.[0]
}

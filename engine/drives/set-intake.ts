import type { DriveSet } from './drive-set.ts'

/** Which sets take new blobs, as this process knows it. */
export class SetIntake {
  #draining: ReadonlySet<number> = new Set()

  /** Sets that blobs are moved off. */
  avoid(sets: Iterable<number>): void {
    this.#draining = new Set(sets)
  }

  isAvoided(set: number): boolean {
    return this.#draining.has(set)
  }
}

/** What a set can still take: its drives fill up alike, so the fullest counts for all. Undefined until they have been looked at. */
export function freeBytesOf({ members }: DriveSet): number | undefined {
  const free = members.filter(({ isWritable }) => isWritable).map(({ freeBytes }) => freeBytes)
  return free.includes(undefined) ? undefined : Math.min(...free.flatMap((bytes) => bytes ?? [])) * members.length
}

/**
 * The set for a new blob: each with a chance in proportion to its free space, so that emptier ones fill up faster and none
 * takes all the load. Evenly while that is not known, or nothing is free. `chance` is from 0 up to 1. Pure.
 */
export function chooseSet<T>(sets: readonly { readonly set: T; readonly freeBytes: number | undefined }[], chance: number): T | undefined {
  const total = sets.reduce((sum, { freeBytes }) => sum + (freeBytes ?? Number.NaN), 0)
  const isKnown = total > 0
  let left = chance * (isKnown ? total : sets.length)
  for (const { set, freeBytes = 0 } of sets) {
    left -= isKnown ? freeBytes : 1
    if (left < 0) return set
  }
  return sets.at(-1)?.set
}

/** Sets of a deployment, from the number of its drives alone. Pure. */

export const maxSetDrives = 16

/** How many parities a set has when nobody says: MinIO's defaults. */
export function defaultParity(setDrives: number): number {
  if (setDrives <= 1) return 0
  if (setDrives <= 3) return 1
  if (setDrives <= 5) return 2
  return setDrives <= 7 ? 3 : 4
}

/** One parity is what MinIO's reduced redundancy has; a lone drive has none. */
export function defaultReducedParity(setDrives: number): number {
  return setDrives <= 1 ? 0 : 1
}

/** Drives of each set: all in one, or as many as divide them evenly. Undefined when they cannot be divided. */
export function setDrivesOf(drives: number): number | undefined {
  if (drives <= maxSetDrives) return drives
  for (let size = maxSetDrives; size > 1; size--) if (drives % size === 0) return size
  return undefined
}

/** Why so many parities are too many or too few; undefined when they are right. At most half of a set is parity. */
export function parityProblem(setDrives: number, parity: number): string | undefined {
  const most = Math.floor(setDrives / 2)
  return parity <= most ? undefined : `a set of ${setDrives} drives has at most ${most} parities, not ${parity}`
}

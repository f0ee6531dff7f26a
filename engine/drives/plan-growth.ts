import { revisionOf } from './drive-format.ts'
import type { DriveRecord } from './drive-format.ts'
import { setDrivesOf } from './plan-sets.ts'
import type { FoundDrive, GivenDrive } from './plan-start.ts'

export type FormattedDrive = GivenDrive & { readonly found: Extract<FoundDrive, { readonly kind: 'formatted' }> }

/** How the drives that were given fit the sets that the deployment has. */
export type Growth =
  | { readonly kind: 'same' }
  /** Empty drives beyond those of the deployment: new sets of so many drives each. */
  | { readonly kind: 'add'; readonly paths: readonly string[]; readonly setDrives: number }
  /** No drive of these sets was given. They may be left out if nothing is stored on them any more. */
  | { readonly kind: 'giveUp'; readonly sets: readonly number[] }
  | { readonly kind: 'refuse'; readonly reasons: readonly string[] }

/**
 * Sets are added, and given up, only while every drive of the others is there: the newest record is then on each of them
 * before anything is stored by it, and no drive that comes back later knows of another change. Pure.
 */
export function planGrowth(given: readonly GivenDrive[], members: readonly FormattedDrive[], { sets }: Pick<DriveRecord, 'sets'>): Growth {
  const total = sets.flat().length
  if (given.length > total) return planAddition(given, members, total)
  if (given.length === total) return { kind: 'same' }
  const isGiven = (id: string): boolean => members.some(({ found }) => found.record.driveId === id)
  const unseen = sets.flatMap((set, index) => (set.length > 0 && !set.some(isGiven) ? [index] : []))
  const left = sets.flatMap((set, index) => (unseen.includes(index) ? [] : set))
  if (left.length !== given.length || left.length === 0) return refuse([countOf(total, given)])
  if (left.every(isGiven)) return { kind: 'giveUp', sets: unseen }
  return refuse([`${countOf(total, given)}; a set can be left out only while every drive of the others is there, and ${lacking(given, members)} is not`])
}

function planAddition(given: readonly GivenDrive[], members: readonly FormattedDrive[], total: number): Growth {
  const extra = given.filter((drive) => !members.some(({ path }) => path === drive.path))
  if (members.length < total) return refuse([`${countOf(total, given)}; a set can be added only while every drive of the deployment is there: ${total - members.length} of these are not it: ${lacking(given, members)}`])
  const isMounted = members.every(({ found }) => found.isMountPoint)
  const reasons = extra.flatMap(({ path, found }) => {
    if (found.kind === 'formatted') return [`${path} belongs to deployment ${found.record.deploymentId}: a set is added with empty drives`]
    if (found.kind === 'refused') return [`${path}: ${found.explanation}`]
    return isMounted && !(found.kind === 'unformatted' && found.isMountPoint) ? [`${path} is not mounted, as the other drives are`] : []
  })
  const setDrives = setDrivesOf(extra.length)
  if (extra.length === 1) reasons.push(`${lacking(given, members)} alone cannot be added: a set that is added has two drives or more`)
  else if (setDrives === undefined) reasons.push(`${extra.length} drives cannot be divided into sets of 2 to 16`)
  return setDrives === undefined || reasons.length > 0 ? refuse(reasons) : { kind: 'add', paths: extra.map(({ path }) => path), setDrives }
}

/**
 * Sets that were being added when the start that did so was interrupted: their drives alone have the newest record. Nothing
 * was ever stored on them. Pure.
 */
export function unservedSets(members: readonly FormattedDrive[], record: Pick<DriveRecord, 'sets' | 'change'>): ReadonlySet<number> {
  const older = members.filter(({ found }) => revisionOf(found.record) < revisionOf(record))
  const known = new Set(older.flatMap(({ found }) => found.record.sets.flat()))
  const isInterrupted = older.length > 0 && members.every(({ found }) => revisionOf(found.record) < revisionOf(record) || !known.has(found.record.driveId))
  return new Set(isInterrupted ? record.sets.flatMap((set, index) => (set.length > 0 && !set.some((id) => known.has(id)) ? [index] : [])) : [])
}

function countOf(total: number, given: readonly GivenDrive[]): string {
  return `the deployment has ${total} drives, and ${given.length} are given (${given.map(({ path }) => path).join(' ')})`
}

function lacking(given: readonly GivenDrive[], members: readonly FormattedDrive[]): string {
  return given.filter((drive) => !members.some(({ path }) => path === drive.path)).map(({ path }) => path).join(', ')
}

function refuse(reasons: readonly string[]): Growth {
  return { kind: 'refuse', reasons }
}

import { must } from '../../base/assert.ts'
import { type DriveFormatErrorCode, type DriveRecord, revisionOf, setParityOf } from './drive-format.ts'
import { readQuorum } from './drive-set.ts'
import { type MemberEpoch, newestEpoch } from './member-epoch.ts'
import { type FormattedDrive, planGrowth, unservedSets } from './plan-growth.ts'
import { setDrivesOf } from './plan-sets.ts'

/** What was found at a path that was given. */
export type FoundDrive =
  | { readonly kind: 'formatted'; readonly record: DriveRecord; readonly isMountPoint: boolean; readonly epoch: MemberEpoch | undefined }
  /** Empty, or an interrupted formatting. */
  | { readonly kind: 'unformatted'; readonly isMountPoint: boolean }
  /** There is nothing, or it cannot be looked at. */
  | { readonly kind: 'missing'; readonly explanation: string }
  /** It holds something else, or a record that is damaged or of a newer format. */
  | { readonly kind: 'refused'; readonly code: DriveFormatErrorCode; readonly explanation: string }

export interface GivenDrive {
  readonly path: string
  readonly found: FoundDrive
}

/** One place in a set and what is there. */
export interface DriveSlot {
  readonly driveId: string
  readonly set: number
  readonly position: number
  readonly path: string
  readonly state: 'present' | 'blank' | 'absent'
}

export type SetsChange = Exclude<ReturnType<typeof planGrowth>, { readonly kind: 'refuse' }>

export type StartPlan =
  /** Nothing is formatted yet: a new deployment of so many drives in each set. */
  | { readonly kind: 'format'; readonly setDrives: number }
  | {
      readonly kind: 'serve'
      readonly record: Omit<DriveRecord, 'driveId'>
      /** By set and position. */
      readonly slots: readonly (readonly DriveSlot[])[]
      /** What an operator should know: drives that are swapped, missing, empty or of another deployment. */
      readonly notes: readonly string[]
      /** Undefined when nothing was ever served. */
      readonly epoch: MemberEpoch | undefined
      /** Drives whose record is older than this one. */
      readonly behind: readonly string[]
      /** The set with the metadata. */
      readonly home: number
      /** What the deployment has beyond this record, or no longer has. */
      readonly growth: SetsChange
    }
  | { readonly kind: 'refuse'; readonly reasons: readonly string[] }

/**
 * What to do with the drives that were found. A deployment starts when of each set as many drives are there as meet every
 * write quorum: one of them has seen the newest state. Pure.
 */
export function planStart(given: readonly GivenDrive[]): StartPlan {
  const doubled = given.filter(({ path }, index) => given.findIndex((other) => other.path === path) !== index)
  if (doubled.length > 0) return refuse(doubled.map(({ path }) => `${path} is given twice`))
  const formatted = given.filter((drive): drive is FormattedDrive => drive.found.kind === 'formatted')
  const [first] = formatted
  if (first === undefined) return planFormat(given)
  const ids = formatted.map(({ found }) => found.record.deploymentId)
  const deploymentId = mostFrequent(ids)
  if (deploymentId === undefined) return refuse(formatted.map(({ path, found }) => `${path} belongs to deployment ${found.record.deploymentId}`))
  const own = formatted.filter(({ found }) => found.record.deploymentId === deploymentId)
  return planService(given, own, own[0]?.found.record ?? first.found.record)
}

function planFormat(given: readonly GivenDrive[]): StartPlan {
  const refused = given.filter(({ found }) => found.kind === 'refused')
  if (refused.length > 0) return refuse(refused.map(describe))
  const setDrives = setDrivesOf(given.length)
  return setDrives === undefined ? refuse([`${given.length} drives cannot be divided into sets of 2 to 16`]) : { kind: 'format', setDrives }
}

function planService(all: readonly GivenDrive[], own: readonly FormattedDrive[], first: DriveRecord): StartPlan {
  const record = own.reduce((newest, { found }) => (revisionOf(found.record) > revisionOf(newest) ? found.record : newest), first)
  const { sets } = record
  const reasons = strangersOf(own, record)
  if (reasons.length > 0) return refuse(reasons)
  const growth = planGrowth(all, own, record)
  if (growth.kind === 'refuse') return growth
  const given = growth.kind === 'add' ? all.filter(({ path }) => !growth.paths.includes(path)) : all
  const slots = assignSlots(given, own, sets.map((set, index) => (growth.kind === 'giveUp' && growth.sets.includes(index) ? [] : set)))
  const epoch = newestEpoch(own.map(({ found }) => found.epoch))
  const unserved = unservedSets(own, record)
  // The first formatting was interrupted: it is completed.
  const isNew = epoch === undefined && given.length > 1 && slots.flat().every(({ state }) => state !== 'absent')
  for (const [index, set] of slots.entries()) {
    const needed = readQuorum(set.length, setParityOf(record, index))
    const present = set.filter(({ state }) => state === 'present').length
    if (set.length === 0 || present >= needed || isNew || (unserved.has(index) && set.every(({ state }) => state !== 'absent'))) continue
    const wanted = set.filter(({ state }) => state !== 'present').map(({ path }) => path)
    const where = sets.length === 1 ? '' : ` of set ${index + 1}`
    reasons.push(`${present} of ${set.length} drives${where} are there and ${needed} are needed: bring back ${wanted.join(', ')}`)
  }
  if (growth.kind === 'giveUp' && epoch === undefined) reasons.push(`the metadata are on drives that are not given: set ${growth.sets.map((set) => set + 1).join(' or ')}`)
  const notes = notesOn(given, slots, record.deploymentId)
  if (reasons.length > 0) return refuse([...reasons, ...notes])
  const behind = own.filter(({ found }) => revisionOf(found.record) < revisionOf(record)).map(({ path }) => path)
  const { driveId: _, ...shared } = record
  return { kind: 'serve', record: shared, slots, notes, epoch, home: homeOf(own, record), behind, growth }
}

/**
 * The set whose drives know the newest epoch; the first before there is any. A move to a set holds once a write quorum of it
 * was told: while fewer can have been, and when the set before has gone on since, it did not happen.
 */
function homeOf(own: readonly FormattedDrive[], { sets, ...record }: Pick<DriveRecord, 'sets' | 'change' | 'parity'>): number {
  const homes = sets.flatMap((set, index) => {
    const told = own.filter(({ found }) => set.includes(found.record.driveId)).map(({ found }) => found.epoch)
    const newest = newestEpoch(told)
    if (newest === undefined) return []
    const untold = told.filter((epoch) => epoch?.epoch !== newest.epoch).length
    const mayHold = newest.moved !== true || untold < readQuorum(set.length, setParityOf({ ...record }, index))
    return mayHold ? [{ index, epoch: newest.epoch, isMoved: newest.moved === true }] : []
  })
  const [home] = homes.toSorted((a, b) => b.epoch - a.epoch || Number(a.isMoved) - Number(b.isMoved))
  return home?.index ?? sets.findIndex((set) => set.length > 0)
}

/** Drives that cannot be of the deployment as the newest record describes it. */
function strangersOf(own: readonly FormattedDrive[], record: DriveRecord): string[] {
  return own.flatMap(({ path, found }) => {
    const isOther = revisionOf(found.record) === revisionOf(record) && JSON.stringify(found.record.sets) !== JSON.stringify(record.sets)
    if (isOther) return [`${path} names other drives of the deployment than ${own[0]?.path ?? path} does`]
    if (!record.sets.flat().includes(found.record.driveId)) return [`${path} is of a set that the deployment gave up: leave it out`]
    const twin = own.find((other) => other.path !== path && other.found.record.driveId === found.record.driveId)
    return twin === undefined ? [] : [`${path} and ${twin.path} are copies of one drive`]
  })
}

/** Each formatted drive is where its record says. The others are taken for the places that are left: their own, if it is, else in order. */
function assignSlots(given: readonly GivenDrive[], own: readonly FormattedDrive[], sets: DriveRecord['sets']): DriveSlot[][] {
  const ids = sets.flat()
  const taken = new Map<string, GivenDrive>(own.map((drive) => [drive.found.record.driveId, drive]))
  const left = given.filter((drive) => !own.some(({ path }) => path === drive.path))
  for (const [index, driveId] of ids.entries()) {
    const at = left.findIndex((drive) => drive === given[index])
    if (!taken.has(driveId) && at >= 0) for (const drive of left.splice(at, 1)) taken.set(driveId, drive)
  }
  for (const driveId of ids) if (!taken.has(driveId)) for (const drive of left.splice(0, 1)) taken.set(driveId, drive)
  const isMounted = own.every(({ found }) => found.isMountPoint)
  return sets.map((drives, set) => drives.map((driveId, position) => {
    const drive = must(taken.get(driveId), 'as many places as drives')
    const state = own.some(({ path }) => path === drive.path) ? 'present' : isReplacement(drive.found, isMounted) ? 'blank' : 'absent'
    return { driveId, set, position, path: drive.path, state }
  }))
}

/** An empty directory where all others are file systems of their own is one whose drive is not mounted. */
function isReplacement(found: FoundDrive, isMounted: boolean): boolean {
  return found.kind === 'unformatted' && (found.isMountPoint || !isMounted)
}

function notesOn(given: readonly GivenDrive[], slots: readonly (readonly DriveSlot[])[], deploymentId: string): string[] {
  const places = slots.flat()
  return given.flatMap((drive, index) => {
    const { path, found } = drive
    const slot = places.find((place) => place.path === path)
    const expected = places[index]
    if (found.kind === 'formatted' && found.record.deploymentId !== deploymentId) return [`${path} belongs to deployment ${found.record.deploymentId}, not to ${deploymentId}: it is not used`]
    if (slot?.state === 'present') return slot === expected ? [] : [`${path} is given as drive ${index + 1} and is drive ${places.indexOf(slot) + 1}`]
    if (found.kind === 'unformatted') return [slot?.state === 'blank' ? `${path} is empty: it is formatted and healed` : `${path} is empty and not mounted, as the other drives are: it is not used`]
    return [describe(drive)]
  })
}

function describe({ path, found }: GivenDrive): string {
  return 'explanation' in found ? `${path}: ${found.explanation}` : path
}

function refuse(reasons: readonly string[]): StartPlan {
  return { kind: 'refuse', reasons }
}

/** Undefined when two are as frequent. */
function mostFrequent(ids: readonly string[]): string | undefined {
  const counts = [...Map.groupBy(ids, (id) => id)].map(([id, all]) => ({ id, count: all.length })).toSorted((a, b) => b.count - a.count)
  return counts[0]?.count === counts[1]?.count ? undefined : counts[0]?.id
}

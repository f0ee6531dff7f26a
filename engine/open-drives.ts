import { join } from 'node:path'
import { must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Redundancy } from './blobs/blob-store.ts'
import { DriveError } from './drives/drive.ts'
import { DriveFormatError, type DriveRecord, formatDrive, lockPath, randomId, replaceRecord, revisionOf, setParityOf } from './drives/drive-format.ts'
import { type DriveLock, lockDrive } from './drives/drive-lock.ts'
import { operationsPerDrive } from './drives/drive-queue.ts'
import type { DriveSet } from './drives/drive-set.ts'
import { findDrives } from './drives/find-drives.ts'
import { makeDirectoryDurably, NodeDrive } from './drives/node-drive.ts'
import { defaultParity, defaultReducedParity, parityProblem } from './drives/plan-sets.ts'
import { type DriveSlot, type GivenDrive, planStart, type StartPlan } from './drives/plan-start.ts'
import { SetMember } from './drives/set-member.ts'

/** How many drives of a set blobs survive, by redundancy; absent: the default for so many drives. */
export type Parities = Readonly<Partial<Record<Redundancy, number>>>

export interface PreparedDrives {
  readonly deploymentId: string
  /** By set and position. */
  readonly slots: readonly (readonly DriveSlot[])[]
  readonly record: SharedRecord
  /** The set with the metadata. */
  readonly home: number
  /** What an operator should know of the drives. */
  readonly notes: readonly string[]
  /** Sets whose drives were not given. They are still the deployment's, until `giveUpSets`. */
  readonly leftOut: readonly number[]
  /** Of `slots`, those whose drives are there and locked. */
  readonly locked: readonly DriveSlot[]
  release(): void
}

type SharedRecord = Omit<DriveRecord, 'driveId'>

type Service = Extract<StartPlan, { readonly kind: 'serve' }>

/**
 * Locks the drives, formats them when all are empty, and formats those that took the place of another; the committer begins the new epoch.
 * Throws `DriveFormatError`: `Foreign`, `Locked`, `Incomplete`.
 */
export async function prepareDrives({ drives, random, parities }: { readonly drives: readonly string[]; readonly random: Random; readonly parities: Parities }): Promise<PreparedDrives> {
  const given = await findDrives(drives)
  const plan = planStart(given)
  if (plan.kind === 'refuse') throw refusal(given, plan.reasons)
  const locks: DriveLock[] = []
  const release = (): void => {
    for (const lock of locks.splice(0)) lock.release()
  }
  try {
    if (plan.kind === 'format') {
      paritiesOf(plan.setDrives, parities)
      for (const { path } of given) makeDirectoryDurably(path)
    }
    const planned = plan.kind === 'serve' ? plan : planOf(given.map(({ path }) => path), plan.setDrives, parities, random)
    const service = withAdded(planned, parities, random)
    const there = service.slots.flat().filter(({ state }) => state !== 'absent')
    if (planned.growth.kind === 'add') for (const path of planned.growth.paths) makeDirectoryDurably(path)
    // A deployment is made, and changed, on all of its drives.
    const mayLack = plan.kind === 'serve' && plan.growth.kind === 'same' && there.length > 1
    const slots = there.filter(({ path }) => lockIn(path, locks, mayLack))
    // New sets first: a drive of another that knows of them is then proof that they have their format.
    for (const slot of slots.toReversed()) {
      if (slot.state === 'blank') await formatDrive(new NodeDrive(slot.path), { ...service.record, driveId: slot.driveId }).catch((error: unknown) => requireFormat(error, mayLack))
    }
    await bringUp(service, slots)
    const leftOut = planned.growth.kind === 'giveUp' ? planned.growth.sets : []
    return { deploymentId: service.record.deploymentId, slots: service.slots, record: service.record, home: service.home, notes: service.notes, leftOut, locked: slots, release }
  } catch (error) {
    release()
    throw error
  }
}

/** The sets that were left out are the deployment's no more. To be called once nothing is stored on them, while the drives are locked. */
export function giveUpSets({ record, slots, leftOut, locked }: Pick<PreparedDrives, 'record' | 'slots' | 'leftOut' | 'locked'>): Promise<void> {
  return bringUp(without({ record, slots }, leftOut), locked)
}

/** Whether the drive is locked now. One that fails is as good as lost where there are others: no other server could lock it either. */
function lockIn(path: string, locks: DriveLock[], mayLack: boolean): boolean {
  try {
    locks.push(lockDrive(join(path, lockPath)))
    return true
  } catch (error) {
    if (mayLack && error instanceof DriveFormatError && error.code === 'Failing') return false
    throw error
  }
}

/** A replaced drive that fails when it is formatted stays out, where there are others. */
function requireFormat(error: unknown, mayLack: boolean): void {
  if (!(mayLack && error instanceof DriveError)) throw error
}

/** The newest record on every drive that has an older one. */
async function bringUp({ record, behind }: Pick<Service, 'record' | 'behind'>, slots: readonly DriveSlot[]): Promise<void> {
  for (const { path, driveId } of slots) if (behind.includes(path)) await replaceRecord(new NodeDrive(path), { ...record, driveId })
}

/** The deployment with the sets that its empty drives make; nothing is written yet. */
function withAdded(service: Service, parities: Parities, random: Random): Service {
  const { record, growth, slots } = service
  if (growth.kind !== 'add') return service
  const { setDrives, paths } = growth
  const added = planOf(paths, setDrives, parities, random)
  const sets = [...record.sets, ...added.record.sets]
  const changed = changedRecord(record, sets, sets.map((_, index) => (index < record.sets.length ? setParityOf(record, index) : added.record.parity)))
  const notes = [...service.notes, ...added.record.sets.map((set, index) => `${set.length} empty drives are added as set ${record.sets.length + index + 1}: ${paths.slice(index * setDrives, (index + 1) * setDrives).join(' ')}`)]
  const addedSlots = added.slots.map((set, index) => set.map((slot) => ({ ...slot, set: record.sets.length + index })))
  return { ...service, record: changed, slots: [...slots, ...addedSlots], notes, behind: slots.flat().map(({ path }) => path) }
}

function without({ record, slots }: Pick<Service, 'record' | 'slots'>, leftOut: readonly number[]): Pick<Service, 'record' | 'behind'> {
  const sets = record.sets.map((set, index) => (leftOut.includes(index) ? [] : set))
  return { record: changedRecord(record, sets, sets.map((_, index) => setParityOf(record, index))), behind: slots.flat().map(({ path }) => path) }
}

function changedRecord(record: SharedRecord, sets: DriveRecord['sets'], parities: readonly number[]): SharedRecord {
  return { ...record, format: 3, sets, change: { revision: revisionOf(record) + 1, parities } }
}

/** A new deployment on empty drives. */
function planOf(paths: readonly string[], setDrives: number, parities: Parities, random: Random): Service {
  const ids = paths.map(() => randomId(random))
  const sets = Array.from({ length: paths.length / setDrives }, (_, set) => ids.slice(set * setDrives, (set + 1) * setDrives))
  const { standard } = paritiesOf(setDrives, parities)
  const slots = sets.map((drives, set) => drives.map((driveId, position) => ({
    driveId, set, position, path: must(paths[set * setDrives + position], 'a path for each drive'), state: 'blank' as const,
  })))
  return { kind: 'serve', record: { format: 2, deploymentId: randomId(random), sets, parity: standard }, slots, notes: [], epoch: undefined, home: 0, behind: [], growth: { kind: 'same' } }
}

/** Throws `Incomplete` for parities that a set of so many drives cannot have. */
export function paritiesOf(setDrives: number, parities: Parities): Readonly<Record<Redundancy, number>> {
  const standard = parities.standard ?? defaultParity(setDrives)
  const reduced = parities.reduced ?? Math.min(defaultReducedParity(setDrives), standard)
  const problem = parityProblem(setDrives, standard) ?? parityProblem(setDrives, reduced) ??
    (reduced > standard ? `reduced redundancy has ${reduced} parities, more than the ${standard} of the standard class` : undefined)
  if (problem !== undefined) throw new DriveFormatError('Incomplete', problem)
  return { standard, reduced }
}

export interface OpenDrives {
  readonly record: SharedRecord
  readonly sets: readonly DriveSet[]
  /** The set with the metadata. */
  readonly home: number
  readonly slots: readonly (readonly DriveSlot[])[]
}

/** The drives of a prepared deployment, in any number of processes. Throws `Foreign` when it was never prepared, `Incomplete`. */
export async function openDrives({ drives, clock, parities }: { readonly drives: readonly string[]; readonly clock: Clock; readonly parities: Parities }): Promise<OpenDrives> {
  const { record, slots, home } = await planPrepared(drives)
  const operations = operationsPerDrive(drives.length)
  const sets = slots.map((set, index) => ({
    index,
    members: set.map(({ driveId, position, path, state }) => {
      const member = new SetMember({ driveId, position, label: path, drive: new NodeDrive(path, operations), clock })
      if (state !== 'present') member.takeOut(state === 'blank' ? 'blank' : 'missing', 'it was not there at the start')
      return member
    }),
    parity: set.length === 0 ? { standard: 0, reduced: 0 } : paritiesOf(set.length, parities),
  }))
  return { record, sets, home, slots }
}

/** What a start on these drives would do; throws unless it would serve. */
export async function planPrepared(drives: readonly string[]): Promise<Service> {
  const given = await findDrives(drives)
  const plan = planStart(given)
  if (plan.kind === 'format') throw new DriveFormatError('Foreign', `${drives.join(' ')}: not formatted by Moraine`)
  if (plan.kind === 'refuse') throw refusal(given, plan.reasons)
  if (plan.growth.kind !== 'same') throw new DriveFormatError('Incomplete', `the deployment has ${plan.record.sets.flat().length} drives, and ${drives.length} are given (${drives.join(' ')}): only "moraine server" adds sets or leaves them out`)
  return plan
}

/** Of drives that hold no deployment the first one says why. */
function refusal(given: readonly GivenDrive[], reasons: readonly string[]): DriveFormatError {
  const refused = given.find(({ found }) => found.kind === 'refused')?.found
  const isDeployment = given.some(({ found }) => found.kind === 'formatted')
  return new DriveFormatError(!isDeployment && refused?.kind === 'refused' ? refused.code : 'Incomplete', reasons.join('\n'))
}

/** Locks the drives of a prepared deployment, to look at them while no server runs. */
export async function lockDrives(drives: readonly string[]): Promise<{ release(): void }> {
  const plan = await planPrepared(drives)
  const locks: DriveLock[] = []
  try {
    for (const { path, state } of plan.slots.flat()) if (state === 'present') locks.push(lockDrive(join(path, lockPath)))
  } catch (error) {
    for (const lock of locks) lock.release()
    throw error
  }
  return { release: () => locks.forEach((lock) => lock.release()) }
}

import { join } from 'node:path'
import { must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Redundancy } from './blobs/blob-store.ts'
import { DriveFormatError, type DriveRecord, formatDrive, lockPath, randomId } from './drives/drive-format.ts'
import { type DriveLock, lockDrive } from './drives/drive-lock.ts'
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
  /** How many drives of a set may be lost. */
  readonly parity: number
  /** What an operator should know of the drives. */
  readonly notes: readonly string[]
  release(): void
}

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
    const service = plan.kind === 'serve' ? plan : planOf(given.map(({ path }) => path), plan.setDrives, parities, random)
    const slots = service.slots.flat().filter(({ state }) => state !== 'absent')
    for (const { path } of slots) locks.push(lockDrive(join(path, lockPath)))
    for (const slot of slots) if (slot.state === 'blank') await formatDrive(new NodeDrive(slot.path), { ...service.record, driveId: slot.driveId })
    return { deploymentId: service.record.deploymentId, slots: service.slots, parity: service.record.parity, notes: service.notes, release }
  } catch (error) {
    release()
    throw error
  }
}

/** A new deployment on empty drives. */
function planOf(paths: readonly string[], setDrives: number, parities: Parities, random: Random): Service {
  const ids = paths.map(() => randomId(random))
  const sets = Array.from({ length: paths.length / setDrives }, (_, set) => ids.slice(set * setDrives, (set + 1) * setDrives))
  const { standard } = paritiesOf(setDrives, parities)
  const slots = sets.map((drives, set) => drives.map((driveId, position) => ({
    driveId, set, position, path: must(paths[set * setDrives + position], 'a path for each drive'), state: 'blank' as const,
  })))
  return { kind: 'serve', record: { format: 2, deploymentId: randomId(random), sets, parity: standard }, slots, notes: [], epoch: undefined }
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
  readonly record: Omit<DriveRecord, 'driveId'>
  readonly sets: readonly DriveSet[]
}

/** The drives of a prepared deployment, in any number of processes. Throws `Foreign` when it was never prepared, `Incomplete`. */
export async function openDrives({ drives, clock, parities }: { readonly drives: readonly string[]; readonly clock: Clock; readonly parities: Parities }): Promise<OpenDrives> {
  const { record, slots } = await planPrepared(drives)
  const sets = slots.map((set, index) => ({
    index,
    members: set.map(({ driveId, position, path, state }) => {
      const member = new SetMember({ driveId, position, label: path, drive: new NodeDrive(path), clock })
      if (state !== 'present') member.takeOut(state === 'blank' ? 'blank' : 'missing', 'it was not there at the start')
      return member
    }),
    parity: paritiesOf(set.length, parities),
  }))
  return { record, sets }
}

/** What a start on these drives would do; throws unless it would serve. */
export async function planPrepared(drives: readonly string[]): Promise<Service> {
  const given = await findDrives(drives)
  const plan = planStart(given)
  if (plan.kind === 'format') throw new DriveFormatError('Foreign', `${drives.join(' ')}: not formatted by Moraine`)
  if (plan.kind === 'refuse') throw refusal(given, plan.reasons)
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

import type { Clock } from '../../base/clock.ts'
import { KiB, secondMs } from '../../base/units.ts'
import { DriveError } from '../drives/drive.ts'
import { DriveFormatError, inspectDrive } from '../drives/drive-format.ts'
import { type MemberEpoch, writeEpoch } from '../drives/member-epoch.ts'
import { makeDirectoryDurably, NodeDrive } from '../drives/node-drive.ts'
import { within } from '../drives/within.ts'
import type { MetadataDrive, MetadataPlaces } from './metadata-places.ts'

/** Why another committer should take over: it would begin an epoch with other copies. */
export type MembersChange =
  | { readonly kind: 'gone' | 'failing'; readonly directory: string; readonly explanation: string }
  | { readonly kind: 'back'; readonly directory: string }

export interface WatchMembersInput {
  readonly places: MetadataPlaces
  readonly members: readonly string[]
  /** Whether a member's files are no longer the open ones. Waits for its drive: only for one that has just answered. Throws what the drive throws. */
  readonly isMisplaced: (id: string) => boolean
  /** Drives that were looked at when the epoch began. */
  readonly seen: readonly string[]
  readonly isReadOnly: boolean
  /** Absent when none was begun. */
  readonly epoch: MemberEpoch | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly intervalMs?: number
  readonly patienceMs?: number
}

const defaultIntervalMs = 2 * secondMs
const defaultPatienceMs = 10 * secondMs
/** A drive that could not be used when the epoch began is tried again after so long. */
const retryMs = 60 * secondMs
const probeName = 'probe'

/**
 * Looks at the drives of the metadata now and then, until there is a reason to change the copies, or the signal. A drive that
 * was not seen when the epoch began, and is not needed as a copy, is told of the epoch: so many know of it that a later start
 * finds it. Never rejects.
 */
export async function watchMembers(input: WatchMembersInput): Promise<MembersChange | undefined> {
  const { places, clock, signal, intervalMs = defaultIntervalMs } = input
  // Nothing can take a lone drive's place.
  if (places.drives.length === 1) return undefined
  const known = new Set(input.seen)
  const looks = new Looks(input)
  const startedMs = clock.monotonicMs()
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal)
    if (signal.aborted) return undefined
    const change = (await lostMember(input, looks)) ?? (await foundDrive(input, looks, known, clock.monotonicMs() - startedMs > retryMs))
    if (change !== undefined) return change
  }
  return undefined
}

/** Looks at drives, none of which is asked again before it has answered: each question that hangs keeps a thread of the process. */
class Looks {
  readonly #input: WatchMembersInput
  readonly #unanswered = new Set<string>()

  constructor(input: WatchMembersInput) {
    this.#input = input
  }

  async ask({ id, directory }: MetadataDrive, work: () => Promise<void>): Promise<void> {
    const { clock, patienceMs = defaultPatienceMs } = this.#input
    if (this.#unanswered.has(id)) throw new DriveError('Io', `${directory} has not answered yet`)
    this.#unanswered.add(id)
    await within(clock, patienceMs, directory, work().finally(() => this.#unanswered.delete(id)))
  }

  async succeeds(drive: MetadataDrive, work: () => Promise<void>): Promise<boolean> {
    return this.ask(drive, work).then(() => true, () => false)
  }
}

async function lostMember({ places, members, isMisplaced }: WatchMembersInput, looks: Looks): Promise<MembersChange | undefined> {
  for (const drive of places.drives.filter(({ id }) => members.includes(id))) {
    const { id, directory } = drive
    try {
      await looks.ask(drive, () => requireFormatted(drive))
      if (isMisplaced(id)) return { kind: 'gone', directory, explanation: 'its files have gone' }
    } catch (error) {
      if (!isOfDrive(error)) throw error
      const isGone = error instanceof DriveFormatError || (error instanceof DriveError && error.code === 'NotFound')
      return { kind: isGone ? 'gone' : 'failing', directory, explanation: error.message }
    }
  }
  return undefined
}

/** A drive that can be written and was not there before, or, after a while, one that was there and could not be used. */
async function foundDrive({ places, members, isReadOnly, epoch }: WatchMembersInput, looks: Looks, known: Set<string>, isOld: boolean): Promise<MembersChange | undefined> {
  const there: MetadataDrive[] = []
  for (const drive of places.drives) {
    if (await looks.succeeds(drive, () => requireFormatted(drive))) there.push(drive)
    else known.delete(drive.id)
  }
  const isWanted = isReadOnly ? there.length >= places.writeQuorum : members.length < Math.min(places.copies, there.length)
  for (const drive of there.filter(({ id }) => !members.includes(id))) {
    const { id, directory } = drive
    if (known.has(id) && !(isWanted && isOld)) continue
    if (isWanted && (await looks.succeeds(drive, () => probe(directory)))) return { kind: 'back', directory }
    if (epoch !== undefined && (await looks.succeeds(drive, () => tell(directory, epoch)))) known.add(id)
  }
  return undefined
}

async function tell(directory: string, epoch: MemberEpoch): Promise<void> {
  makeDirectoryDurably(directory)
  await writeEpoch(new NodeDrive(directory), epoch)
}

/** Throws unless the drive can be written. */
async function probe(directory: string): Promise<void> {
  makeDirectoryDurably(directory)
  const drive = new NodeDrive(directory)
  await drive.remove(probeName).catch(() => undefined)
  const file = await drive.create(probeName)
  try {
    await file.write(Buffer.alloc(4 * KiB, 1), 0)
    await file.sync()
  } finally {
    await file.close()
    await drive.remove(probeName)
  }
}

/** Errors that say something of a drive, and those of the system's calls. */
function isOfDrive(error: unknown): error is Error {
  return error instanceof DriveError || error instanceof DriveFormatError || (error instanceof Error && 'syscall' in error)
}

/** What is missing, not mounted or replaced gets no directory of ours before it has its format. Throws `DriveFormatError`, `DriveError`. */
export async function requireFormatted({ id, root }: MetadataDrive): Promise<void> {
  if (root === undefined) return
  const state = await inspectDrive(new NodeDrive(root))
  if (state.kind === 'unformatted') throw new DriveFormatError('Incomplete', `${root} is empty`)
  if (state.record.driveId !== id) throw new DriveFormatError('Foreign', `${root} is drive ${state.record.driveId}`)
}

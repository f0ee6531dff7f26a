import { join } from 'node:path'
import { must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { secondMs } from '../../base/units.ts'
import { DriveFormatError, inspectDrive } from '../drives/drive-format.ts'
import { lockDrive } from '../drives/drive-lock.ts'
import type { DriveLock } from '../drives/drive-lock.ts'
import { makeDirectoryDurably, NodeDrive } from '../drives/node-drive.ts'
import { Committer } from './committer.ts'
import type { Remedy } from './committer.ts'
import { LmdbSource } from './index/lmdb-source.ts'
import { LmdbReader } from './index/lmdb-reader.ts'
import { JournaledMetadataStore } from './journaled-metadata-store.ts'
import { LocalCommits } from './local-commits.ts'
import { senderBytes } from './metadata-commits.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import type { MetadataStore } from './metadata-store.ts'
import type { MemberPlace } from './open-member.ts'
import { openMembers } from './open-members.ts'
import type { KnownRequests } from './known-requests.ts'

/** Where the metadata of a deployment may be: the drives of one set that are there. Plain values, as they go to the committer's process. */
export interface MetadataPlaces {
  readonly drives: readonly MetadataDrive[]
  /** How many drives the set has. */
  readonly setDrives: number
  /** On how many of them an epoch has to be. */
  readonly writeQuorum: number
  /** How many are to have the metadata: one more than may be lost. */
  readonly copies: number
}

export interface MetadataDrive {
  readonly id: string
  /** The drive's own directory: it is used only while it is the drive of this id. Absent: not looked at. */
  readonly root?: string
  /** The metadata directory; made durably when it is missing. Nobody else commits to it. */
  readonly directory: string
}

export interface OpenCommitterInput {
  readonly places: MetadataPlaces
  /** The directory whose index readers have had open all along, because only the committer died. */
  readonly readFrom?: string | undefined
  /** A directory whose index is not to be trusted, where there is another. */
  readonly suspect?: string | undefined
  readonly segmentBytes?: number
  readonly mapBytes?: number
  readonly clock: Clock
  readonly onFailure?: (remedy: Remedy) => void
  /** For the log. */
  readonly onSkipped?: (directory: string, error: Error) => void
}

export interface OpenCommitter {
  readonly committer: Committer
  readonly known: KnownRequests
  /** Where its commits can be read. */
  readonly directory: string
}

/** A committer of a server that was killed ends as soon as it notices. */
const lockWaitMs = 10 * secondMs
const lockPollMs = 20

/** The one committer of a deployment. Waits for one before it to let go, and throws `Locked` when it does not. */
export async function openCommitter(input: OpenCommitterInput): Promise<OpenCommitter> {
  const { places, readFrom, suspect, clock, onFailure, onSkipped = () => {} } = input
  const { usable, locks } = await takeDrives(places.drives, clock, onSkipped)
  const release = (): void => locks.forEach((lock) => lock.release())
  const directoryOf = new Map(usable.map(({ id, directory }) => [id, directory]))
  const idOf = (directory: string | undefined): string | undefined => usable.find((drive) => drive.directory === directory)?.id
  try {
    const { members, known, readOnly } = await openMembers({
      places: usable.map((drive) => placeOf(drive, input)),
      drives: places.setDrives,
      writeQuorum: places.writeQuorum,
      copies: places.copies,
      readBy: idOf(readFrom),
      suspect: idOf(suspect),
      onSkipped: (id, error) => onSkipped(directoryOf.get(id) ?? id, error),
    })
    const committer = new Committer({ members, known, readOnly, gather: nextTurn, onClosed: release, ...(onFailure === undefined ? {} : { onFailure }) })
    return { committer, known, directory: must(directoryOf.get(members[0]?.id ?? ''), 'the first member has a directory') }
  } catch (error) {
    release()
    throw error
  }
}

/** By then the event loop has read from every worker's socket: a batch that waited for one of them only would pay a sync for each. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function placeOf({ id, directory }: MetadataDrive, { segmentBytes, mapBytes }: Pick<OpenCommitterInput, 'segmentBytes' | 'mapBytes'>): MemberPlace {
  return { id, drive: new NodeDrive(directory), source: new LmdbSource(directory, mapBytes), ...(segmentBytes === undefined ? {} : { segmentBytes }) }
}

/** A drive that cannot even be locked is left out, where there are others. */
export async function takeDrives(drives: readonly MetadataDrive[], clock: Clock, onSkipped: (directory: string, error: Error) => void) {
  const usable: MetadataDrive[] = []
  const locks: DriveLock[] = []
  for (const drive of drives) {
    try {
      await requireFormatted(drive)
      makeDirectoryDurably(drive.directory)
      locks.push(await takeLock(join(drive.directory, 'committer.sqlite'), clock))
      usable.push(drive)
    } catch (error) {
      if (drives.length === 1 || !(error instanceof Error)) throw error
      onSkipped(drive.directory, error)
    }
  }
  return { usable, locks }
}

/** What is missing, not mounted or replaced gets no directory of ours before it has its format. */
async function requireFormatted({ id, root }: MetadataDrive): Promise<void> {
  if (root === undefined) return
  const state = await inspectDrive(new NodeDrive(root))
  if (state.kind === 'unformatted') throw new DriveFormatError('Incomplete', `${root} is empty`)
  if (state.record.driveId !== id) throw new DriveFormatError('Foreign', `${root} is drive ${state.record.driveId}`)
}

async function takeLock(path: string, clock: Clock): Promise<DriveLock> {
  for (const deadlineMs = clock.monotonicMs() + lockWaitMs; ; await clock.sleep(lockPollMs)) {
    try {
      return lockDrive(path)
    } catch (error) {
      if (!(error instanceof DriveFormatError) || clock.monotonicMs() > deadlineMs) throw error
    }
  }
}

/** A store that commits in this process, which no other one does meanwhile. */
export async function openMetadata(input: OpenCommitterInput & { readonly random: Random }): Promise<MetadataStore> {
  const { committer, directory } = await openCommitter(input)
  return new JournaledMetadataStore(new LmdbReader(directory, input.mapBytes), new LocalCommits(committer, input.random.bytes(senderBytes)))
}

/** A store whose commits go elsewhere: to the committer that has `directory` open. */
export function openRemoteMetadata(directory: string, commits: MetadataCommits): MetadataStore {
  return new JournaledMetadataStore(new LmdbReader(directory), commits)
}

/** The metadata on one drive. */
export function onOneDrive(directory: string): MetadataPlaces {
  return { drives: [{ id: 'only', directory }], setDrives: 1, writeQuorum: 1, copies: 1 }
}

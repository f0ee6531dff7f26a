import { join } from 'node:path'
import { must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { minuteMs, secondMs } from '../../base/units.ts'
import { DriveFormatError } from '../drives/drive-format.ts'
import { lockDrive } from '../drives/drive-lock.ts'
import type { DriveLock } from '../drives/drive-lock.ts'
import { within } from '../drives/within.ts'
import { makeDirectoryDurably, NodeDrive } from '../drives/node-drive.ts'
import { Committer } from './committer.ts'
import type { Remedy } from './committer.ts'
import { LmdbSource } from './index/lmdb-source.ts'
import { LmdbReader } from './index/lmdb-reader.ts'
import { JournaledMetadataStore, type OnDamage } from './journaled-metadata-store.ts'
import { LocalCommits } from './local-commits.ts'
import { senderBytes } from './metadata-commits.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import type { MetadataDrive, MetadataPlaces } from './metadata-places.ts'
import type { MetadataStore } from './metadata-store.ts'
import type { MemberPlace } from './open-member.ts'
import { openMembers, type OpenMembers } from './open-members.ts'
import { type MembersChange, requireFormatted, watchMembers } from './watch-members.ts'
import type { KnownRequests } from './known-requests.ts'

export interface OpenCommitterInput {
  readonly places: MetadataPlaces
  /**
   * Directories whose index readers have had open all along, because only the committer died: the one to read further first.
   * More than one while readers move.
   */
  readonly readFrom?: readonly string[] | undefined
  /** Directories whose index is not to be trusted, where there is another. */
  readonly suspects?: readonly string[] | undefined
  /** Directories on drives that failed a moment ago: not used where the others are enough to write. */
  readonly avoid?: readonly string[] | undefined
  readonly segmentBytes?: number
  readonly mapBytes?: number
  readonly clock: Clock
  readonly onFailure?: (remedy: Remedy, failed: readonly FailedCopy[]) => void
  /** For the log. */
  readonly onSkipped?: (directory: string, error: Error) => void
}

export interface FailedCopy {
  readonly directory: string
  readonly error: unknown
}

export interface OpenCommitter {
  readonly committer: Committer
  readonly known: KnownRequests
  /** Where its commits can be read. */
  readonly directory: string
  /** Why nothing can be committed, though everything can be read. */
  readonly readOnly: string | undefined
  /** Resolves when another committer would have other copies: one has gone from its drive, or a drive has come back. Undefined at the signal. */
  changed(signal: AbortSignal): Promise<MembersChange | undefined>
}

/** A committer of a server that was killed ends as soon as it notices. */
const lockWaitMs = 10 * secondMs
const lockPollMs = 20
/** So long a copy is waited for; then the next committer goes on without it. */
const patienceMs = 10 * secondMs
const copyPatienceMs = 10 * minuteMs

/** The one committer of a deployment. Waits for one before it to let go, and throws `Locked` when it does not. */
export async function openCommitter(input: OpenCommitterInput): Promise<OpenCommitter> {
  const { places, readFrom = [], clock, onFailure, onSkipped = () => {} } = input
  const { usable, locks } = await takeDrives(places.drives, clock, onSkipped)
  const release = (): void => locks.forEach((lock) => lock.release())
  const directoryOf = (id: string): string => must(places.drives.find((drive) => drive.id === id), 'members are among the places').directory
  const idOf = (directory: string): string | undefined => usable.find((drive) => drive.directory === directory)?.id
  const open = (drives: readonly MetadataDrive[], suspects: readonly string[]): Promise<OpenMembers> => openMembers({
    places: drives.map((drive) => placeOf(drive, input)),
    drives: places.setDrives,
    writeQuorum: places.writeQuorum,
    copies: places.copies,
    readBy: readFrom.flatMap((directory) => idOf(directory) ?? []),
    suspects: suspects.flatMap((directory) => idOf(directory) ?? []),
    patience: drivesAlone(places) ? undefined : { clock, lookMs: patienceMs, copyMs: copyPatienceMs },
    onSkipped: (id, error) => onSkipped(directoryOf(id), error),
  })
  try {
    const { members, known, readOnly, usable: seen, epoch } = await openAvoiding(open, usable, input)
    const committer = new Committer({
      members, known, readOnly,
      gather: nextTurn,
      onClosed: release,
      patience: { clock, ms: patienceMs },
      onFailure: (remedy, failed) => onFailure?.(remedy, failed.map(({ id, error }) => ({ directory: directoryOf(id), error }))),
    })
    const memberIds = members.map(({ id }) => id)
    return {
      committer, known, readOnly,
      directory: directoryOf(must(memberIds[0], 'there is a first member')),
      changed: (signal) => watchMembers({ places, members: memberIds, isMisplaced: (id) => committer.isMisplaced(id), seen, isReadOnly: readOnly !== undefined, epoch, clock, signal }),
    }
  } catch (error) {
    release()
    throw error
  }
}

/** By then the event loop has read from every worker's socket: a batch that waited for one of them only would pay a sync for each. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What failed a moment ago is tried again only where it goes no other way, and then made anew. */
async function openAvoiding(
  open: (drives: readonly MetadataDrive[], suspects: readonly string[]) => Promise<OpenMembers>,
  usable: readonly MetadataDrive[],
  { avoid = [], suspects = [] }: OpenCommitterInput,
): Promise<OpenMembers> {
  const others = usable.filter(({ directory }) => !avoid.includes(directory))
  if (others.length > 0 && others.length < usable.length) {
    const opened = await open(others, suspects).catch(() => undefined)
    if (opened !== undefined && opened.readOnly === undefined) return opened
    for (const member of opened?.members ?? []) await member.close()
  }
  return open(usable, [...suspects, ...avoid])
}

function drivesAlone({ drives }: MetadataPlaces): boolean {
  return drives.length === 1
}

export function placeOf({ id, directory }: MetadataDrive, { segmentBytes, mapBytes }: Pick<OpenCommitterInput, 'segmentBytes' | 'mapBytes'>): MemberPlace {
  return { id, drive: new NodeDrive(directory), source: new LmdbSource(directory, mapBytes), ...(segmentBytes === undefined ? {} : { segmentBytes }) }
}

/** A drive that cannot even be locked is left out, where there are others. */
export async function takeDrives(drives: readonly MetadataDrive[], clock: Clock, onSkipped: (directory: string, error: Error) => void) {
  const usable: MetadataDrive[] = []
  const locks: DriveLock[] = []
  for (const drive of drives) {
    try {
      await within(clock, patienceMs, drive.directory, requireFormatted(drive))
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

async function takeLock(path: string, clock: Clock): Promise<DriveLock> {
  for (const deadlineMs = clock.monotonicMs() + lockWaitMs; ; await clock.sleep(lockPollMs)) {
    try {
      return lockDrive(path)
    } catch (error) {
      if (!(error instanceof DriveFormatError && error.code === 'Locked') || clock.monotonicMs() > deadlineMs) throw error
    }
  }
}

/** A store that commits in this process, which no other one does meanwhile. */
export async function openMetadata(input: OpenCommitterInput & { readonly random: Random }): Promise<MetadataStore> {
  const { committer, directory } = await openCommitter(input)
  return new JournaledMetadataStore(new LmdbReader(directory, input.mapBytes), new LocalCommits(committer, input.random.bytes(senderBytes)))
}

/** A store whose commits go elsewhere: to the committer that has `directory` open. */
export function openRemoteMetadata(directory: string, commits: MetadataCommits, onDamage?: OnDamage): { readonly store: MetadataStore; readonly readFrom: (directory: string) => void } {
  const store = new JournaledMetadataStore(new LmdbReader(directory), commits, onDamage)
  return { store, readFrom: (other) => store.readFrom(new LmdbReader(other)) }
}

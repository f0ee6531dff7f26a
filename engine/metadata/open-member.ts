import { DriveError } from '../drives/drive.ts'
import type { Drive } from '../drives/drive.ts'
import { keepBallast } from './ballast.ts'
import { CheckpointFiles, readCheckpoint, removeCheckpoints } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { origin } from './index/metadata-index.ts'
import type { MetadataIndex, Position } from './index/metadata-index.ts'
import { Journal, makeJournalDirectory, segmentNames } from './journal/journal.ts'
import { readJournal } from './journal/read-journal.ts'
import type { decodeRecord, JournalRecord } from './journal/record.ts'
import { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'
import type { JournalEnd } from './plan-recovery.ts'
import { replay } from './replay.ts'

/** How a member's index is opened: the LMDB of a directory, or one in memory for the simulation. */
export interface IndexSource {
  /** There is an index, from whatever time. */
  exists(): boolean
  /** Removes what there is. */
  clear(): void
  /** Puts back a state that was pinned and synced. */
  restore(snapshot: Buffer): void
  open(): MetadataIndex
  /** Puts a copy of what is visible in `donor` in the place of whatever there is. */
  replaceWith(donor: MetadataIndex): Promise<void>
}

/** Where one copy of the metadata is, or is to be. */
export interface MemberPlace {
  readonly id: string
  /** Its root is the metadata directory. */
  readonly drive: Drive
  readonly source: IndexSource
  readonly segmentBytes?: number
  /** For the mutation check only. */
  readonly decode?: typeof decodeRecord
}

/**
 * `afterPowerLoss`: nobody has the index open, and it goes back to its last checkpoint, because what
 * is newer may have been lost in part. `afterCrash`: only its writer died, under a server that has
 * run since: what the system holds is whole, and readers have it open.
 */
export type Start = 'afterPowerLoss' | 'afterCrash'

/** What a member holds, before its index is opened. */
export interface Inspected {
  readonly checkpoint: Checkpoint | undefined
  /** Without a gap; the last is the end. */
  readonly records: readonly JournalRecord[]
  readonly end: JournalEnd
}

/**
 * Looks at a member without changing it; undefined when it holds nothing. Throws `Corrupt`.
 *
 * An index without a checkpoint is from before there was a journal: it is durable as it stands, and its
 * first checkpoint is all that it takes to migrate it. `mayBeOlder` says that this is possible.
 */
export async function inspectMember({ drive, source, decode }: MemberPlace, mayBeOlder: boolean): Promise<Inspected | undefined> {
  const checkpoint = await readCheckpoint(drive)
  if (checkpoint === 'damaged') throw new MetadataError('Corrupt', 'the checkpoint of the metadata is damaged')
  if (checkpoint === undefined) {
    const segments = await journalSegments(drive)
    if (segments !== undefined && segments.length > 0) throw new MetadataError('Corrupt', 'there is a journal, but no checkpoint')
    // A new index begins with the journal's directory: one beside it was never finished.
    return mayBeOlder && segments === undefined && source.exists() ? { checkpoint, records: [], end: origin } : undefined
  }
  const { upTo, after } = await readJournal(drive, checkpoint.position, decode)
  return { checkpoint, records: [...upTo, ...after], end: after[after.length - 1] ?? checkpoint.position }
}

/** Undefined: there is no journal's directory. */
async function journalSegments(drive: Drive): Promise<readonly string[] | undefined> {
  try {
    return await segmentNames(drive)
  } catch (error) {
    if (error instanceof DriveError && error.code === 'NotFound') return undefined
    throw error
  }
}

/**
 * Brings a member's index up to the end of `records`, its own and those that it lacks, and makes it
 * durable; its journal is empty then. Losing power anywhere in between loses nothing: the journal is
 * there until the checkpoint is.
 */
export async function openMember(place: MemberPlace, inspected: Inspected | undefined, records: readonly JournalRecord[], start: Start): Promise<Member> {
  const { drive, source } = place
  const checkpoint = inspected?.checkpoint
  if (inspected === undefined) {
    await makeJournalDirectory(drive)
    source.clear()
  }
  if (checkpoint !== undefined && start === 'afterPowerLoss') source.restore(checkpoint.snapshot)
  const index = source.open()
  const member = await closingOnFailure(index, async () => {
    if (checkpoint !== undefined) requireReached(index.position, checkpoint.position)
    // What the checkpoint on the drive refers to was pinned by a process that is gone: nothing may be
    // written over before it is pinned again, or another checkpoint takes its place.
    return withCheckpoint(place, index)
  })
  return closingOnFailure(member, async () => {
    const missing = records.filter(({ seq }) => seq > index.position.seq)
    if (missing.length > 0) {
      await replay(member, missing)
      await member.checkpoint()
    }
    return withEmptyJournal(member)
  })
}

/** What is open still could not be opened once more. */
async function closingOnFailure(opened: { close(): Promise<void> }, work: () => Promise<Member>): Promise<Member> {
  try {
    return await work()
  } catch (error) {
    await opened.close().catch(() => undefined)
    throw error
  }
}

/** Makes a place a copy of a member, whatever it held. */
export async function copyMember(place: MemberPlace, donor: Member): Promise<Member> {
  const { drive, source } = place
  await makeJournalDirectory(drive)
  // From here on it holds nothing, until it holds everything.
  await removeCheckpoints(drive)
  await (await Journal.open(place)).removeOld()
  await source.replaceWith(donor.index)
  const index = source.open()
  const member = await closingOnFailure(index, () => withCheckpoint(place, index))
  return withEmptyJournal(member)
}

/** The ballast, which may have given way to the index, is made of what the journal had, before the next journal takes all of it. */
async function withEmptyJournal(member: Member): Promise<Member> {
  await member.emptyJournal()
  await keepBallast(member.drive)
  return member
}

async function withCheckpoint(place: MemberPlace, index: MetadataIndex): Promise<Member> {
  const { id, drive } = place
  const pin = index.pin()
  let checkpoints: CheckpointFiles | undefined
  try {
    await index.sync()
    checkpoints = await CheckpointFiles.begin(drive, pin)
    await makeJournalDirectory(drive)
    return new Member({ id, drive, index, checkpoints, pin, journal: await Journal.open(place) })
  } catch (error) {
    pin.release()
    await checkpoints?.close().catch(() => undefined)
    throw error
  }
}

function requireReached(position: Position, checkpoint: Position): void {
  const isReached = position.seq > checkpoint.seq || (position.seq === checkpoint.seq && position.checksum === checkpoint.checksum)
  if (!isReached) throw new MetadataError('Corrupt', `the index is at record ${position.seq}, behind its checkpoint at ${checkpoint.seq}`)
}

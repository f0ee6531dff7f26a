import { MiB } from '../../base/units.ts'
import { DriveError } from '../drives/drive.ts'
import type { Drive } from '../drives/drive.ts'
import { CheckpointFiles, readCheckpoint, removeCheckpoints } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decodeOperations } from './commit-codec.ts'
import { applyOperations, origin } from './index/metadata-index.ts'
import type { MetadataIndex, Position } from './index/metadata-index.ts'
import { Journal, makeJournalDirectory, segmentNames } from './journal/journal.ts'
import { readJournal } from './journal/read-journal.ts'
import { entriesOf } from './journal/record.ts'
import type { decodeRecord, JournalRecord } from './journal/record.ts'
import { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'
import type { JournalEnd } from './plan-recovery.ts'

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

/** Replayed at once: bounds memory and the size of an LMDB transaction. */
const replayBytes = 16 * MiB

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
  if (checkpoint !== undefined) requireReached(index.position, checkpoint.position)
  // What the checkpoint on the drive refers to was pinned by a process that is gone: nothing may be
  // written over before it is pinned again, or another checkpoint takes its place.
  const member = await withCheckpoint(place, index)
  const missing = records.filter(({ seq }) => seq > index.position.seq)
  if (missing.length > 0) {
    await replay(index, missing)
    await member.checkpoint()
  }
  await member.emptyJournal()
  return member
}

/** Makes a place a copy of a member, whatever it held. */
export async function copyMember(place: MemberPlace, donor: Member): Promise<Member> {
  const { drive, source } = place
  await makeJournalDirectory(drive)
  // From here on it holds nothing, until it holds everything.
  await removeCheckpoints(drive)
  await (await Journal.open(place)).removeOld()
  await source.replaceWith(donor.index)
  const member = await withCheckpoint(place, source.open())
  await member.emptyJournal()
  return member
}

async function withCheckpoint(place: MemberPlace, index: MetadataIndex): Promise<Member> {
  const { id, drive } = place
  const checkpoints = await CheckpointFiles.open(drive)
  const pin = index.pin()
  await index.sync()
  await checkpoints.write(pin)
  await makeJournalDirectory(drive)
  return new Member({ id, drive, index, checkpoints, pin, journal: await Journal.open(place) })
}

function requireReached(position: Position, checkpoint: Position): void {
  const isReached = position.seq > checkpoint.seq || (position.seq === checkpoint.seq && position.checksum === checkpoint.checksum)
  if (!isReached) throw new MetadataError('Corrupt', `the index is at record ${position.seq}, behind its checkpoint at ${checkpoint.seq}`)
}

async function replay(index: MetadataIndex, records: readonly JournalRecord[]): Promise<void> {
  for (let first = 0; first < records.length; ) {
    let next = first
    for (let bytes = 0; next < records.length && (next === first || bytes < replayBytes); next++) bytes += records[next]?.body.length ?? 0
    await applyRecords(index, records.slice(first, next))
    first = next
  }
}

/** The records follow each other, and what the index has. Throws `Corrupt`. */
export async function applyRecords(index: MetadataIndex, records: readonly JournalRecord[]): Promise<void> {
  const bytes = records.reduce((sum, { body, commits }) => sum + 2 * body.length + commits * replayTreeBytes, MiB)
  index.reserve({ bytes, frees: true, isPinned: true })
  await index.write(async (transaction) => {
    let { position } = index
    for (const record of records) {
      if (record.seq !== position.seq + 1 || record.previous !== position.checksum) throw new MetadataError('Corrupt', `record ${record.seq} does not follow record ${position.seq}`)
      let version = record.firstVersion - 1
      for (const { operations } of entriesOf(record)) applyOperations(transaction, decodeOperations(operations), ++version)
      position = { epoch: record.epoch, seq: record.seq, checksum: record.checksum, version }
    }
    if (records.length > 0) transaction.setPosition(position)
  })
}

const replayTreeBytes = 64 * 1024

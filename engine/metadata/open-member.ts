import { MiB } from '../../base/units.ts'
import type { Drive } from '../drives/drive.ts'
import { CheckpointFiles, readCheckpoint } from './checkpoint.ts'
import { decodeOperations } from './commit-codec.ts'
import { applyOperations } from './index/metadata-index.ts'
import type { MetadataIndex, Position } from './index/metadata-index.ts'
import { Journal, makeJournalDirectory, segmentNames } from './journal/journal.ts'
import { readJournal } from './journal/read-journal.ts'
import { encodeRecord, entriesOf } from './journal/record.ts'
import type { JournalRecord } from './journal/record.ts'
import { KnownRequests } from './known-requests.ts'
import { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'

/** How a member's index is opened: the LMDB of a directory, or one in memory for the simulation. */
export interface IndexSource {
  /** Puts back a state that was pinned and synced. */
  restore(snapshot: Buffer): void
  open(): MetadataIndex
}

export interface OpenMemberInput {
  readonly drive: Drive
  readonly source: IndexSource
  /**
   * `afterPowerLoss`: nobody has the index open, and it goes back to its last checkpoint, because what
   * is newer may have been lost in part. `afterCrash`: only its writer died, under a server that has
   * run since: what the system holds is whole, and readers have it open.
   */
  readonly start: 'afterPowerLoss' | 'afterCrash'
  readonly segmentBytes?: number
}

/** Replayed at once: bounds memory and the size of an LMDB transaction. */
const replayBytes = 16 * MiB

/**
 * Brings a member's index up to its journal, makes it durable, and begins a new epoch in an empty
 * journal. Losing power anywhere in between loses nothing: the journal is there until the checkpoint is.
 *
 * A directory without a checkpoint holds nothing yet, or an index from before there was a journal,
 * which is durable as it stands; its first checkpoint is all that it takes to migrate it.
 */
export async function openMember(input: OpenMemberInput): Promise<{ readonly member: Member; readonly known: KnownRequests }> {
  const { drive, source, start } = input
  const hadJournal = await makeJournalDirectory(drive)
  const checkpoint = await readCheckpoint(drive)
  if (checkpoint === 'damaged' || (checkpoint === undefined && hadJournal && (await segmentNames(drive)).length > 0)) {
    throw new MetadataError('Corrupt', 'the checkpoint of the metadata is damaged')
  }
  if (checkpoint !== undefined && start === 'afterPowerLoss') source.restore(checkpoint.snapshot)
  const index = source.open()
  const known = new KnownRequests(index.position.version)
  if (checkpoint !== undefined) {
    requireReached(index.position, checkpoint.position)
    const from = start === 'afterCrash' ? index.position : checkpoint.position
    const { upTo, after } = await readJournal(drive, from)
    known.begin(upTo[0] ?? after[0])
    for (const record of [...upTo, ...after]) known.addRecord(record)
    await replay(index, after)
  }
  const checkpoints = await CheckpointFiles.open(drive)
  const pin = index.pin()
  await index.sync()
  await checkpoints.write(pin)
  const journal = await Journal.replace(input)
  const member = new Member({ drive, index, journal, checkpoints, pin })
  await beginEpoch(member, index.position.epoch + 1)
  return { member, known }
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

export async function applyRecords(index: MetadataIndex, records: readonly JournalRecord[]): Promise<void> {
  await index.write(async (transaction) => {
    let { version } = index.position
    for (const record of records) {
      version = Math.max(version, record.firstVersion - 1)
      for (const { operations } of entriesOf(record)) applyOperations(transaction, decodeOperations(operations), ++version)
    }
    const last = records[records.length - 1]
    if (last !== undefined) transaction.setPosition({ epoch: last.epoch, seq: last.seq, checksum: last.checksum, version })
  })
}

/** The record that opens an epoch, in the journal and the index. */
async function beginEpoch(member: Member, epoch: number): Promise<void> {
  const before = member.index.position
  const seq = before.seq + 1
  const header = { kind: 'epoch', commits: 0, epoch, seq, firstVersion: before.version + 1, previous: before.checksum } as const
  const { bytes, checksum } = encodeRecord(header, Buffer.from(JSON.stringify({ epoch })))
  await member.index.write(async (transaction) => {
    transaction.setPosition({ epoch, seq, checksum, version: before.version })
    await member.journal.append(bytes, seq)
  })
}

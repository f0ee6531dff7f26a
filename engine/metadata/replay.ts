import { KiB, MiB } from '../../base/units.ts'
import { decodeOperations } from './commit-codec.ts'
import { applyOperations } from './index/metadata-index.ts'
import type { MetadataIndex } from './index/metadata-index.ts'
import { isFull } from './is-full.ts'
import { entriesOf } from './journal/record.ts'
import type { JournalRecord } from './journal/record.ts'
import type { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'

/** Replayed at once: bounds memory and the size of an LMDB transaction. */
const replayBytes = 16 * MiB

/**
 * Brings a member's index to the last of `records`, which follow each other and what the index has. Throws `Corrupt`, `Full`.
 *
 * What was committed on a full drive has to be replayed on it: where there is no room for what many records may need at
 * most, they are taken one by one, and where there is none for one, a checkpoint frees the pages that the last one keeps.
 */
export async function replay(member: Member, records: readonly JournalRecord[]): Promise<void> {
  let atOnceBytes = replayBytes
  for (let first = 0; first < records.length; ) {
    const next = endOfPiece(records, first, atOnceBytes)
    try {
      await applyRecords(member.index, records.slice(first, next), member.isCheckpointed)
      first = next
    } catch (error) {
      if (!isFull(error)) throw error
      if (atOnceBytes > 0) atOnceBytes = 0
      else if (member.isCheckpointed) throw error
      else await member.checkpoint()
    }
  }
}

/** At least one record. */
function endOfPiece(records: readonly JournalRecord[], first: number, atOnceBytes: number): number {
  let next = first + 1
  for (let bytes = lengthOf(records[first]); next < records.length && bytes < atOnceBytes; next++) bytes += lengthOf(records[next])
  return next
}

function lengthOf(record: JournalRecord | undefined): number {
  return record?.body.length ?? 0
}

async function applyRecords(index: MetadataIndex, records: readonly JournalRecord[], isPinned: boolean): Promise<void> {
  const bytes = records.reduce((sum, { body, commits }) => sum + 2 * body.length + commits * treeBytes, spareBytes)
  index.reserve({ bytes, frees: true, isPinned })
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

/** As a commit reserves: what had room once has it again. */
const treeBytes = 64 * KiB
const spareBytes = 256 * KiB

import type { Drive } from '../../drives/drive.ts'
import { MetadataError } from '../metadata-store.ts'
import { journalDirectory, segmentNames } from './journal.ts'
import { alignmentBytes, announcedBytes, decodeRecord } from './record.ts'
import type { JournalRecord } from './record.ts'

export interface JournalContent {
  /** The records up to a position, as far back as they are still there without a gap, in order. */
  readonly upTo: readonly JournalRecord[]
  /** The records that follow it without a gap, in order. */
  readonly after: readonly JournalRecord[]
}

/**
 * What a member's journal holds around a position. What a power loss cut off ends it. A hole in the
 * middle cannot come from that, since every record was durable before the next was written: it is
 * damage, and `Corrupt`.
 */
export async function readJournal(drive: Drive, position: { readonly seq: number; readonly checksum: bigint }, decode = decodeRecord): Promise<JournalContent> {
  const found = new Map<number, JournalRecord[]>()
  for (const name of await segmentNames(drive)) {
    for (const record of recordsIn(await readWhole(drive, `${journalDirectory}/${name}`), decode)) {
      found.set(record.seq, [...(found.get(record.seq) ?? []), record])
    }
  }
  const after = chainAfter(found, position)
  const lastSeq = position.seq + after.length
  const beyond = [...found.keys()].filter((seq) => seq > lastSeq + 1)
  if (beyond.length > 0) {
    throw new MetadataError('Corrupt', `the journal has no whole record ${lastSeq + 1}, but record ${Math.min(...beyond)} is there`)
  }
  return { upTo: chainUpTo(found, position), after }
}

type Found = ReadonlyMap<number, readonly JournalRecord[]>

function chainAfter(found: Found, position: { readonly seq: number; readonly checksum: bigint }): JournalRecord[] {
  const chain: JournalRecord[] = []
  for (let last = position; ; ) {
    const next = found.get(last.seq + 1)?.find(({ previous }) => previous === last.checksum)
    if (next === undefined) return chain
    chain.push(next)
    last = next
  }
}

function chainUpTo(found: Found, position: { readonly seq: number; readonly checksum: bigint }): JournalRecord[] {
  const chain: JournalRecord[] = []
  for (let { seq, checksum } = position; ; ) {
    const record = found.get(seq)?.find((candidate) => candidate.checksum === checksum)
    if (record === undefined) return chain.reverse()
    chain.push(record)
    seq = record.seq - 1
    checksum = record.previous
  }
}

/** Every whole record of a segment, whatever lap it is from. */
function* recordsIn(segment: Buffer, decode: typeof decodeRecord): Generator<JournalRecord> {
  for (let at = 0; at < segment.length; ) {
    const record = announcedBytes(segment, at) === undefined ? undefined : decode(segment, at)
    if (record !== undefined) yield record
    at += record === undefined ? alignmentBytes : (announcedBytes(segment, at) ?? alignmentBytes)
  }
}

async function readWhole(drive: Drive, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(await drive.sizeOf(path))
  const file = await drive.open(path)
  try {
    return bytes.subarray(0, await file.read(bytes, 0))
  } finally {
    await file.close()
  }
}

import { xxh64 } from '@node-rs/xxhash'
import { assert } from '../../../base/assert.ts'

/**
 * A record of the journal, format 1. Numbers are big endian.
 *
 *     checksum       8 bytes: xxHash64 of all that follows, the padding left out
 *     magic          4 bytes
 *     format         1 byte, 0x01
 *     kind           1 byte: 1 commits, 2 epoch
 *     zeros          2 bytes
 *     bodyBytes      4 bytes
 *     commits        4 bytes: how many commits the body holds
 *     epoch          8 bytes
 *     seq            8 bytes: one more than the record's before
 *     firstVersion   8 bytes: of the first commit; the others follow by one
 *     previous       8 bytes: the checksum of the record before
 *     body
 *     zeros          up to a multiple of `alignmentBytes`
 *
 * The body of commits holds each as: requestId (12 bytes), the length of its operations (4), and
 * these as `commit-codec.ts` writes them. That of an epoch is its JSON.
 *
 * A record fills whole sectors: writing the next one never touches bytes that are durable already.
 */
export interface RecordHeader {
  readonly kind: 'commits' | 'epoch'
  readonly commits: number
  readonly epoch: number
  readonly seq: number
  readonly firstVersion: number
  readonly previous: bigint
}

export interface JournalRecord extends RecordHeader {
  readonly checksum: bigint
  readonly body: Buffer
}

export const recordHeaderBytes = 56
/** A physical sector, or larger. */
export const alignmentBytes = 4096
export const requestIdBytes = 12
const commitHeaderBytes = requestIdBytes + 4
const magic = 0x4d4a524e
const formatByte = 1
const kinds = ['commits', 'epoch'] as const

export function paddedBytes(bodyBytes: number): number {
  return Math.ceil((recordHeaderBytes + bodyBytes) / alignmentBytes) * alignmentBytes
}

/** Seals a record whose body already stands behind the header; its checksum. */
export function sealRecord(target: Buffer, header: RecordHeader, bodyBytes: number): bigint {
  target.writeUInt32BE(magic, 8)
  target[12] = formatByte
  target[13] = kinds.indexOf(header.kind) + 1
  target.writeUInt16BE(0, 14)
  target.writeUInt32BE(bodyBytes, 16)
  target.writeUInt32BE(header.commits, 20)
  writeWhole(target, header.epoch, 24)
  writeWhole(target, header.seq, 32)
  writeWhole(target, header.firstVersion, 40)
  target.writeBigUInt64BE(header.previous, 48)
  const end = recordHeaderBytes + bodyBytes
  target.fill(0, end, paddedBytes(bodyBytes))
  const checksum = xxh64(target.subarray(8, end))
  target.writeBigUInt64BE(checksum, 0)
  return checksum
}

export function encodeRecord(header: RecordHeader, body: Uint8Array): { readonly bytes: Buffer; readonly checksum: bigint } {
  const bytes = Buffer.allocUnsafe(paddedBytes(body.byteLength))
  bytes.set(body, recordHeaderBytes)
  return { checksum: sealRecord(bytes, header, body.byteLength), bytes }
}

/**
 * The record that begins at `offset`; undefined when there is none that is whole. Shares its bytes with
 * `source`. Not to verify it is for the mutation check only.
 */
export function decodeRecord(source: Buffer, offset: number, verifies = true): JournalRecord | undefined {
  const header = source.subarray(offset, offset + recordHeaderBytes)
  if (header.length < recordHeaderBytes || header.readUInt32BE(8) !== magic || header[12] !== formatByte) return undefined
  const bodyBytes = header.readUInt32BE(16)
  const end = offset + recordHeaderBytes + bodyBytes
  const kind = kinds[(header[13] ?? 0) - 1]
  if (kind === undefined || end > source.length) return undefined
  const checksum = header.readBigUInt64BE(0)
  if (verifies && xxh64(source.subarray(offset + 8, end)) !== checksum) return undefined
  return {
    checksum,
    kind,
    commits: header.readUInt32BE(20),
    epoch: readWhole(header, 24),
    seq: readWhole(header, 32),
    firstVersion: readWhole(header, 40),
    previous: header.readBigUInt64BE(48),
    body: source.subarray(offset + recordHeaderBytes, end),
  }
}

/** How long the record at `offset` says it is, padding included; undefined when no header is there. Not verified. */
export function announcedBytes(source: Buffer, offset: number): number | undefined {
  if (source.length - offset < recordHeaderBytes || source.readUInt32BE(offset + 8) !== magic) return undefined
  return paddedBytes(source.readUInt32BE(offset + 16))
}

export interface CommitEntry {
  readonly requestId: Buffer
  readonly operations: Buffer
}

export function entryBytesOf(operationsBytes: number): number {
  return commitHeaderBytes + operationsBytes
}

/** Writes one commit of a body at `offset`; where it ends. */
export function writeEntry(target: Buffer, offset: number, { requestId, operations }: CommitEntry): number {
  assert(requestId.length === requestIdBytes, 'a request id has 12 bytes')
  target.set(requestId, offset)
  target.writeUInt32BE(operations.length, offset + requestIdBytes)
  target.set(operations, offset + commitHeaderBytes)
  return offset + commitHeaderBytes + operations.length
}

/** The commits of a record, in order; the first has `firstVersion`. */
export function* entriesOf({ kind, body }: JournalRecord): Generator<CommitEntry> {
  if (kind !== 'commits') return
  for (let at = 0; at < body.length; ) {
    const start = at + commitHeaderBytes
    const end = start + body.readUInt32BE(at + requestIdBytes)
    assert(end <= body.length, 'a verified body is as long as its commits')
    yield { requestId: body.subarray(at, at + requestIdBytes), operations: body.subarray(start, end) }
    at = end
  }
}

/** Also zero, which `writeVersion` refuses. */
function writeWhole(target: Buffer, value: number, offset: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'epochs, sequences and versions are whole numbers')
  target.writeUInt32BE(Math.floor(value / 2 ** 32), offset)
  target.writeUInt32BE(value % 2 ** 32, offset + 4)
}

function readWhole(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 2 ** 32 + source.readUInt32BE(offset + 4)
}

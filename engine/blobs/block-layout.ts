import { xxh64 } from '@node-rs/xxhash'
import { assert } from '../../base/assert.ts'
import { BlobError } from './blob-store.ts'

/**
 * A blob's file, layout `blocks`, format 1:
 *
 *     header   64 bytes: magic "MORAINEB" (8), format (4, little endian), blockBytes (4, little
 *              endian), blobId (26, ASCII), zeros (14), xxHash64 of the 56 bytes before (8)
 *     frames   one per block: xxHash64 of the block (8, little endian), then the block;
 *              every block is `blockBytes` long but the last, which is 1 to `blockBytes`
 *
 * A block's hash is seeded with the blob's id and the block's index, so that a right block in the
 * wrong place (a misdirected write) fails as a wrong one does. An empty blob has no frame.
 */
export const headerBytes = 64
export const hashBytes = 8

const magic = Buffer.from('MORAINEB', 'latin1')
const format = 1
const headerHashOffset = headerBytes - hashBytes

export function encodeHeader(target: Buffer, blobId: string, blockBytes: number): void {
  target.fill(0, 0, headerBytes)
  magic.copy(target)
  target.writeUInt32LE(format, 8)
  target.writeUInt32LE(blockBytes, 12)
  target.write(blobId, 16, 'latin1')
  target.writeBigUInt64LE(xxh64(target.subarray(0, headerHashOffset)), headerHashOffset)
}

export interface BlobHeader {
  readonly blobId: string
  readonly blockBytes: number
}

/** Throws `Corrupt` for anything but a header of a format that this version knows. */
export function decodeHeader(header: Buffer): BlobHeader {
  if (header.length < headerBytes || !header.subarray(0, magic.length).equals(magic)) throw new BlobError('Corrupt', 'not a blob file')
  if (xxh64(header.subarray(0, headerHashOffset)) !== header.readBigUInt64LE(headerHashOffset)) {
    throw new BlobError('Corrupt', 'the header of the blob file does not match its checksum')
  }
  const stored = header.readUInt32LE(8)
  if (stored !== format) throw new BlobError('Corrupt', `the blob file has the unknown format ${stored}`)
  return { blockBytes: header.readUInt32LE(12), blobId: header.toString('latin1', 16, 42) }
}

/** Where the frame of a block begins in the file. */
export function framePosition(index: number, blockBytes: number): number {
  return headerBytes + index * (hashBytes + blockBytes)
}

export function fileBytes(sizeBytes: number, blockBytes: number): number {
  return headerBytes + sizeBytes + hashBytes * Math.ceil(sizeBytes / blockBytes)
}

/** Blob ids of one seed base differ in their random part; the index is added to the seed. */
export function blobSeed(blobId: string): bigint {
  return xxh64(blobId)
}

export function blockHash(seed: bigint, index: number, block: Uint8Array): bigint {
  return xxh64(block, BigInt.asUintN(64, seed + BigInt(index)))
}

/** One block that a range touches, and which of its bytes. */
export interface BlockSlice {
  readonly index: number
  /** The whole block's length: all of it is read, to verify it. */
  readonly bytes: number
  readonly start: number
  readonly end: number
}

/** The slice of block `index` in the range. */
export function sliceOf(index: number, range: { offset: number; length: number }, sizeBytes: number, blockBytes: number): BlockSlice {
  const blockStart = index * blockBytes
  const bytes = Math.min(blockBytes, sizeBytes - blockStart)
  assert(bytes > 0, 'a block of the blob')
  return {
    index,
    bytes,
    start: Math.max(0, range.offset - blockStart),
    end: Math.min(bytes, range.offset + range.length - blockStart),
  }
}

/** The directory of a blob's file: `blobs/` and two hex digits from the id's last, random characters. */
export function directoryOf(blobId: string): string {
  const value = crockford.indexOf(blobId.charAt(24)) * 32 + crockford.indexOf(blobId.charAt(25))
  assert(blobId.length === 26 && value >= 0, 'a blob id is a ULID')
  return blobDirectories[value % blobDirectories.length] ?? blobsDirectory
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const blobsDirectory = 'blobs'
export const blobDirectories: readonly string[] = Array.from({ length: 256 }, (_, i) => `${blobsDirectory}/${i.toString(16).padStart(2, '0')}`)

import { xxh64 } from '@node-rs/xxhash'
import { assert } from '../../base/assert.ts'
import { MetadataError } from './metadata-store.ts'

/**
 * A stored row, format 1:
 *
 *     format    1 byte, 0x01
 *     version   8 bytes, big endian
 *     value     any length
 *     checksum  8 bytes, little endian: xxHash64 of format, version, value and key
 *
 * The key is hashed behind the value, so that a row that turns up under another key fails.
 */
const formatByte = 1
const headerBytes = 9
export const checksumBytes = 8
export const rowOverheadBytes = headerBytes + checksumBytes

const hash = new BigUint64Array(1)
const hashWords = new Uint32Array(hash.buffer)

/** A fresh buffer: the caller's value is copied. */
export function encodeRow(key: Uint8Array, version: number, value: Uint8Array): Buffer {
  const valueEnd = headerBytes + value.byteLength
  // One buffer and one hash call: the key stands where the checksum (or more) goes afterwards.
  const row = Buffer.allocUnsafe(valueEnd + Math.max(key.byteLength, checksumBytes))
  row[0] = formatByte
  writeVersion(row, 1, version)
  row.set(value, headerBytes)
  row.set(key, valueEnd)
  row.writeBigUInt64LE(xxh64(row.subarray(0, valueEnd + key.byteLength)), valueEnd)
  return row.subarray(0, valueEnd + checksumBytes)
}

export interface DecodedRow {
  readonly key: Buffer
  readonly value: Buffer
  readonly version: number
}

/**
 * Verifies a row and takes it apart. The answer shares nothing with `stored` or `key`.
 * Throws `MetadataError` `Corrupt`.
 */
export function decodeRow(key: Uint8Array, stored: Buffer, storedBytes: number): DecodedRow {
  if (storedBytes < rowOverheadBytes) throw corrupt(key, 'is cut short')
  const valueEnd = storedBytes - checksumBytes
  const hashedEnd = valueEnd + key.byteLength
  const row = Buffer.allocUnsafe(Math.max(storedBytes, hashedEnd))
  // `stored` may be longer than the row, and lmdb-js gives it a `length` of its own.
  stored.copy(row, 0, 0, storedBytes)
  const low = row.readUInt32LE(valueEnd)
  const high = row.readUInt32LE(valueEnd + 4)
  row.set(key, valueEnd)
  hash[0] = xxh64(row.subarray(0, hashedEnd))
  if (hashWords[0] !== low || hashWords[1] !== high) throw corrupt(key, 'does not match its checksum')
  if (row[0] !== formatByte) throw corrupt(key, `has the unknown format ${row[0]}`)
  return { key: row.subarray(valueEnd, hashedEnd), value: row.subarray(headerBytes, valueEnd), version: readVersion(row, 1) }
}

export function writeVersion(target: Buffer, offset: number, version: number): void {
  assert(Number.isSafeInteger(version) && version > 0, 'a version is a positive whole number')
  target.writeUInt32BE(Math.floor(version / 2 ** 32), offset)
  target.writeUInt32BE(version % 2 ** 32, offset + 4)
}

export function readVersion(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 2 ** 32 + source.readUInt32BE(offset + 4)
}

function corrupt(key: Uint8Array, what: string): MetadataError {
  return new MetadataError('Corrupt', `the row at key ${Buffer.from(key).toString('hex')} ${what}`)
}

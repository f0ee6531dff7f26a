import { assert } from '../../base/assert.ts'
import { writeVersion } from './row-format.ts'
import { maxKeyBytes, maxValueBytes, MetadataError } from './metadata-store.ts'
import type { Commit, KeyRange } from './metadata-store.ts'

/** What every MetadataStore asks of keys, values and ranges before it touches them. */

/** Range bounds may be a little longer than keys: the smallest key after another has one byte more. */
export const maxBoundBytes = maxKeyBytes + 64
/** An append's index takes two bytes. */
const maxAppends = 2 ** 16
const appendSuffixBytes = 10

/** Throws `TooLarge`; an empty key is our own mistake. */
export function checkSizes(commit: Commit): void {
  for (const { key, value } of commit.puts) {
    checkKey(key)
    checkValue(value)
  }
  for (const key of commit.deletes) checkKey(key)
  for (const check of commit.checks) if ('key' in check) checkKey(check.key)
  assert(commit.appends.length <= maxAppends, 'a commit has too many appends')
  for (const { prefix, value } of commit.appends) {
    if (prefix.byteLength + appendSuffixBytes > maxKeyBytes) throw new MetadataError('TooLarge', `a prefix of ${prefix.byteLength} bytes`)
    checkValue(value)
  }
}

export function checkKey(key: Uint8Array): void {
  assert(key.byteLength > 0, 'a key is not empty')
  if (key.byteLength > maxKeyBytes) throw new MetadataError('TooLarge', `a key of ${key.byteLength} bytes; the limit is ${maxKeyBytes}`)
}

function checkValue(value: Uint8Array): void {
  if (value.byteLength <= maxValueBytes) return
  throw new MetadataError('TooLarge', `a value of ${value.byteLength} bytes; the limit is ${maxValueBytes}`)
}

/** The key of the `index`th append of the commit with this version. */
export function appendKey(prefix: Uint8Array, version: number, index: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.byteLength + appendSuffixBytes)
  key.set(prefix)
  writeVersion(key, prefix.byteLength, version)
  key.writeUInt16BE(index, prefix.byteLength + 8)
  return key
}

/** The range with bounds that a store can seek to; undefined when no key can lie in it. */
export function seekableRange({ start, end }: KeyRange): { start: Buffer; end: Buffer } | undefined {
  assert(start.byteLength <= maxBoundBytes && end.byteLength <= maxBoundBytes, 'a range bound is too long')
  const range = { start: start.byteLength === 0 ? Buffer.alloc(1) : bufferOf(start), end: bufferOf(end) }
  return Buffer.compare(range.start, range.end) < 0 ? range : undefined
}

/** The same bytes as a Buffer, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

import { assert } from '../../base/assert.ts'
import type { Append, Check, Commit, Put } from './metadata-store.ts'
import { readVersion, writeVersion } from './row-format.ts'

/**
 * A commit as bytes: its checks, and its operations, which the journal keeps as they are. All numbers
 * are big endian; a key is 2 bytes of length and its bytes, a value 4 bytes of length and its bytes.
 *
 *     checks      count (4), then each: 0 key (no such row) | 1 version (8) key | 2 start end (empty range)
 *     operations  count (4) of deletes, each a key; of puts, each key and value; of appends, each prefix and value
 */
export interface EncodedCommit {
  readonly checks: Buffer
  readonly operations: Buffer
}

export type Operations = Pick<Commit, 'puts' | 'deletes' | 'appends'>

const absent = 0
const atVersion = 1
const emptyRange = 2

const countBytes = 4
const keyLengthBytes = 2
const valueLengthBytes = 4
const versionBytes = 8

export function checksBytesOf({ checks }: Commit): number {
  let bytes = countBytes
  for (const check of checks) {
    bytes += 1
    if ('empty' in check) bytes += 2 * keyLengthBytes + check.empty.start.byteLength + check.empty.end.byteLength
    else bytes += keyLengthBytes + check.key.byteLength + (check.version === undefined ? 0 : versionBytes)
  }
  return bytes
}

export function operationsBytesOf({ puts, deletes, appends }: Operations): number {
  let bytes = 3 * countBytes
  for (const key of deletes) bytes += keyLengthBytes + key.byteLength
  for (const { key, value } of puts) bytes += keyLengthBytes + key.byteLength + valueLengthBytes + value.byteLength
  for (const { prefix, value } of appends) bytes += keyLengthBytes + prefix.byteLength + valueLengthBytes + value.byteLength
  return bytes
}

/** Writes the checks at `offset`; where they end. */
export function writeChecks(target: Buffer, offset: number, { checks }: Commit): number {
  let at = target.writeUInt32BE(checks.length, offset)
  for (const check of checks) {
    if ('empty' in check) {
      target[at++] = emptyRange
      at = writeKey(target, at, check.empty.start)
      at = writeKey(target, at, check.empty.end)
      continue
    }
    target[at++] = check.version === undefined ? absent : atVersion
    if (check.version !== undefined) {
      writeVersion(target, at, check.version)
      at += versionBytes
    }
    at = writeKey(target, at, check.key)
  }
  return at
}

/** Writes the operations at `offset`; where they end. */
export function writeOperations(target: Buffer, offset: number, { puts, deletes, appends }: Operations): number {
  let at = target.writeUInt32BE(deletes.length, offset)
  for (const key of deletes) at = writeKey(target, at, key)
  at = target.writeUInt32BE(puts.length, at)
  for (const { key, value } of puts) at = writeValue(target, writeKey(target, at, key), value)
  at = target.writeUInt32BE(appends.length, at)
  for (const { prefix, value } of appends) at = writeValue(target, writeKey(target, at, prefix), value)
  return at
}

export function encodeCommit(commit: Commit): EncodedCommit {
  const checks = Buffer.allocUnsafe(checksBytesOf(commit))
  const operations = Buffer.allocUnsafe(operationsBytesOf(commit))
  assert(writeChecks(checks, 0, commit) === checks.length, 'checks are as long as they were measured')
  assert(writeOperations(operations, 0, commit) === operations.length, 'operations are as long as they were measured')
  return { checks, operations }
}

/** The checks share their bytes with `checks`. */
export function decodeChecks(checks: Buffer): Check[] {
  const reader = new SectionReader(checks)
  const decoded: Check[] = []
  for (let left = reader.count(); left > 0; left--) decoded.push(readCheck(reader))
  return decoded
}

/** The operations share their bytes with `operations`. */
export function decodeOperations(operations: Buffer): Operations {
  const reader = new SectionReader(operations)
  const deletes: Buffer[] = []
  for (let left = reader.count(); left > 0; left--) deletes.push(reader.key())
  const puts: Put[] = []
  for (let left = reader.count(); left > 0; left--) puts.push({ key: reader.key(), value: reader.value() })
  const appends: Append[] = []
  for (let left = reader.count(); left > 0; left--) appends.push({ prefix: reader.key(), value: reader.value() })
  return { deletes, puts, appends }
}

function readCheck(reader: SectionReader): Check {
  const kind = reader.byte()
  if (kind === absent) return { key: reader.key(), version: undefined }
  if (kind === atVersion) {
    const version = reader.version()
    return { key: reader.key(), version }
  }
  assert(kind === emptyRange, 'a check is one of three kinds')
  const start = reader.key()
  return { empty: { start, end: reader.key() } }
}

function writeKey(target: Buffer, offset: number, key: Uint8Array): number {
  const at = target.writeUInt16BE(key.byteLength, offset)
  target.set(key, at)
  return at + key.byteLength
}

function writeValue(target: Buffer, offset: number, value: Uint8Array): number {
  const at = target.writeUInt32BE(value.byteLength, offset)
  target.set(value, at)
  return at + value.byteLength
}

class SectionReader {
  readonly #source: Buffer
  #at = 0

  constructor(source: Buffer) {
    this.#source = source
  }

  byte(): number {
    return this.#source.readUInt8(this.#at++)
  }

  count(): number {
    const count = this.#source.readUInt32BE(this.#at)
    this.#at += countBytes
    return count
  }

  version(): number {
    const version = readVersion(this.#source, this.#at)
    this.#at += versionBytes
    return version
  }

  key(): Buffer {
    const length = this.#source.readUInt16BE(this.#at)
    return this.#take(keyLengthBytes, length)
  }

  value(): Buffer {
    const length = this.#source.readUInt32BE(this.#at)
    return this.#take(valueLengthBytes, length)
  }

  #take(headerBytes: number, length: number): Buffer {
    const start = this.#at + headerBytes
    this.#at = start + length
    assert(this.#at <= this.#source.length, 'a section is as long as its parts')
    return this.#source.subarray(start, this.#at)
  }
}

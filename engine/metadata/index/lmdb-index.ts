import { closeSync, constants, copyFile, fdatasync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { assert, AssertionError } from '../../../base/assert.ts'
import { seekableRange, bufferOf } from '../keys.ts'
import { KiB, MiB } from '../../../base/units.ts'
import { MetadataError } from '../metadata-store.ts'
import type { KeyRange } from '../metadata-store.ts'
import { checksumHigh, checksumLow, RowDigests } from '../row-digests.ts'
import { decodeRow, encodeRow } from '../row-format.ts'
import type { Transaction } from 'lmdb'
import { dataFile, oldestReader, openForWriting, positionKey, putNew } from './lmdb-environment.ts'
import type { Environment } from './lmdb-environment.ts'
import { origin } from './metadata-index.ts'
import type { IndexPin, IndexTransaction, MetadataIndex, Position, Room } from './metadata-index.ts'
import { freeBytesOf, newestTransactionOf, readMetaPages, usedBytesOf } from './lmdb-meta.ts'

const MDB_MAP_FULL = -30792

/** The file is made longer by so much at once, where there is room. */
const extensionBytes = 4 * MiB
/** And in pieces of so much, which the page cache keeps as folios: every page that is written later walks all blocks of its folio. */
const zeroBytes = 256 * KiB
/** A read is over before so many have been committed. */
const fewTransactions = 32
/** Left to what deletes, on a full drive. */
const heldBackBytes = 2 * MiB

/**
 * MetadataIndex over LMDB, for the one process that writes it.
 *
 * LMDB never overwrites a page that a snapshot in use refers to, so a read transaction held open
 * keeps all pages of its snapshot in place. The two meta pages are overwritten by every commit; they
 * are what `pin` copies, and what `restore` puts back.
 */
export class LmdbIndex implements MetadataIndex {
  readonly #environment: Environment
  readonly #directory: string
  readonly #file: number
  #position: Position
  #digests: RowDigests
  /** For the next transaction to change. */
  #spareDigests = new RowDigests()
  #writing = false
  /** Bytes of the file behind the last page, less what was promised since they were counted. */
  #slackBytes = 0

  private constructor(environment: Environment, directory: string) {
    const { position, digests } = storedState(environment)
    this.#environment = environment
    this.#directory = directory
    this.#position = position
    this.#digests = digests ?? digestsOfRows(environment)
    this.#file = openSync(join(directory, dataFile), 'r+')
  }

  /** Opens what is there; an empty index where there is nothing. Throws `Corrupt`. */
  static open(directory: string, mapBytes?: number): LmdbIndex {
    requireWhole(join(directory, dataFile))
    const environment = openForWriting(directory, mapBytes)
    try {
      return new LmdbIndex(environment, directory)
    } catch (cause) {
      void environment.close()
      throw typeof codeOf(cause) === 'number' ? new MetadataError('Corrupt', `the index in ${directory} cannot be read`, { cause }) : cause
    }
  }

  get position(): Position {
    return this.#position
  }

  async write<T>(body: (transaction: IndexTransaction) => Promise<T>): Promise<T> {
    assert(!this.#writing, 'an index is written by one at a time')
    this.#writing = true
    this.#spareDigests.assign(this.#digests)
    const transaction = new LmdbTransaction(this.#environment, this.#spareDigests)
    try {
      const result = await this.#environment.transactionSync(() => body(transaction))
      if (transaction.position !== undefined) {
        this.#position = transaction.position
        this.#spareDigests = this.#digests
        this.#digests = transaction.digests
      }
      return result
    } catch (error) {
      throw asMetadataError(await reasonOf(error))
    } finally {
      this.#writing = false
    }
  }

  /**
   * Pages behind the last one are written as zeros before they are needed: then a transaction writes
   * only where there are blocks already. On a full drive the free pages within the file count too;
   * what only adds still needs its bytes behind the last page, because free ones may lie scattered.
   */
  reserve({ bytes, frees, isPinned }: Room): void {
    const wanted = bytes + heldBackBytes
    if (this.#slackBytes < wanted) this.#slackBytes = this.#countSlack()
    // Made longer, it would read as zeros where its rows were.
    if (this.#slackBytes < 0) throw new MetadataError('Corrupt', 'the index has been cut short')
    if (this.#slackBytes < wanted) this.#extend(Math.max(extensionBytes, wanted - this.#slackBytes))
    if (this.#slackBytes < wanted) {
      const free = isPinned && !this.#isReadFromBefore() ? freeBytesOf(this.#metaPages()) : 0
      const fits = frees ? this.#slackBytes >= bytes || free >= 4 * bytes : this.#slackBytes >= bytes && this.#slackBytes + free >= wanted
      if (!fits) throw new MetadataError('Full', 'no space left for the index')
    }
    this.#slackBytes -= bytes
  }

  /**
   * Somebody walks over an older state, whose pages are free and cannot be used: a transaction that counted on them would
   * fail once its record is durable. What a read keeps for a moment is little.
   */
  #isReadFromBefore(): boolean {
    const before = newestTransactionOf(this.#metaPages()) - fewTransactions
    return oldestReader(this.#environment) < before
  }

  #countSlack(): number {
    return fstatSync(this.#file).size - usedBytesOf(this.#metaPages())
  }

  /** By so much, or by what there is room for. */
  #extend(bytes: number): void {
    const end = fstatSync(this.#file).size
    const zeros = Buffer.alloc(Math.min(bytes, zeroBytes))
    try {
      for (let at = end; at < end + bytes; ) at += writeSync(this.#file, zeros, 0, Math.min(zeros.length, end + bytes - at), at)
    } catch (cause) {
      if (codeOf(cause) !== 'ENOSPC' && codeOf(cause) !== 'EDQUOT') throw new MetadataError('OutcomeUnknown', 'the index cannot be written', { cause })
    }
    this.#slackBytes = this.#countSlack()
  }

  #metaPages(): Buffer {
    return readMetaPages((bytes, at) => readSync(this.#file, bytes, 0, bytes.length, at))
  }

  /**
   * A copy of what is visible, in a directory without an index. Not while a `write` is under way, and
   * none may begin: the file is copied as the system holds it.
   */
  copyTo(directory: string): Promise<void> {
    assert(!this.#writing, 'an index is copied between writes')
    return new Promise((settle, fail) => {
      copyFile(join(this.#directory, dataFile), join(directory, dataFile), constants.COPYFILE_EXCL, (error) =>
        error === null ? settle() : fail(new MetadataError('OutcomeUnknown', `the index cannot be copied to ${directory}`, { cause: error })))
    })
  }

  pin(): IndexPin {
    assert(!this.#writing, 'a state is pinned between writes')
    // A reader that was killed would keep its snapshot for good.
    this.#environment.readerCheck()
    this.#environment.resetReadTxn()
    const transaction = this.#environment.useReadTransaction()
    return { snapshot: this.#metaPages(), position: this.#position, release: () => transaction.done() }
  }

  sync(): Promise<void> {
    return new Promise((settle, fail) => {
      fdatasync(this.#file, (error) => (error === null ? settle() : fail(new MetadataError('OutcomeUnknown', 'the index cannot be synced', { cause: error }))))
    })
  }

  isInPlace(): boolean {
    const [open, named] = [fstatSync(this.#file), statSync(join(this.#directory, dataFile), { throwIfNoEntry: false })]
    return named?.ino === open.ino && named.dev === open.dev
  }

  async close(): Promise<void> {
    closeSync(this.#file)
    await this.#environment.close()
  }
}

/** What the newest state refers to lies within the file: behind its end LMDB's reads would end the process. Throws `Corrupt`. */
function requireWhole(path: string): void {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (bytes === 0) return
  const file = openSync(path, 'r')
  try {
    const pages = readMetaPages((target, at) => readSync(file, target, 0, target.length, at))
    if (usedBytesOf(pages) > bytes) throw new MetadataError('Corrupt', `the index has ${bytes} bytes, and pages up to ${usedBytesOf(pages)}`)
  } catch (cause) {
    throw cause instanceof AssertionError ? new MetadataError('Corrupt', 'the first pages of the index are damaged', { cause }) : cause
  } finally {
    closeSync(file)
  }
}

/** Errors of LMDB have a code; others are the caller's own, or mistakes of ours. */
function asMetadataError(cause: unknown): unknown {
  if (cause instanceof MetadataError || cause instanceof AssertionError || typeof codeOf(cause) !== 'number') return cause
  if (codeOf(cause) === MDB_MAP_FULL) return new MetadataError('Full', 'the index is as large as it can be', { cause })
  return new MetadataError('OutcomeUnknown', 'the index cannot be written', { cause })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** So many rows that checks have read are remembered: their commit's changes will most likely replace them. */
const mostRead = 8
const [absent, low, high] = [0, 1, 2]
const slotWords = 3

class LmdbTransaction implements IndexTransaction {
  readonly digests: RowDigests
  readonly #environment: Environment
  /** The rows that were read since the last change, as they are now: their keys, and of each whether it is absent, and its checksum. */
  readonly #readKeys: (Buffer | undefined)[] = []
  readonly #readWords = new Uint32Array(slotWords * mostRead)
  #isChanging = false
  position: Position | undefined

  constructor(environment: Environment, digests: RowDigests) {
    this.#environment = environment
    this.digests = digests
  }

  get(key: Buffer): Buffer | undefined {
    const stored = this.#environment.get(key)
    // The checks of the next commit.
    if (this.#isChanging) this.#readKeys.length = 0
    this.#isChanging = false
    const slot = this.#readKeys.length
    if (slot === mostRead) return stored
    this.#readKeys.push(key)
    this.#readWords[slotWords * slot + absent] = stored === undefined ? 1 : 0
    if (stored !== undefined) {
      this.#readWords[slotWords * slot + low] = checksumLow(stored, stored.length)
      this.#readWords[slotWords * slot + high] = checksumHigh(stored, stored.length)
    }
    return stored
  }

  isEmpty(keyRange: KeyRange): boolean {
    const range = seekableRange(keyRange)
    if (range === undefined) return true
    return Array.from(this.#environment.getKeys({ start: range.start, end: range.end, limit: 1 })).length === 0
  }

  put(key: Uint8Array, version: number, value: Uint8Array): void {
    const at = bufferOf(key)
    const row = encodeRow(key, version, value)
    // Most rows that no check has read are new: that the put itself says so costs nothing.
    const isKnown = this.#forget(at)
    if (isKnown || !putNew(this.#environment, at, row)) {
      if (!isKnown) this.#countOut(at)
      this.#environment.putSync(at, row)
    }
    this.digests.add(tableOf(at), row, row.length)
  }

  delete(key: Uint8Array): void {
    const at = bufferOf(key)
    if (!this.#forget(at)) this.#countOut(at)
    this.#environment.removeSync(at)
  }

  setPosition(position: Position): void {
    this.position = position
    const value = Buffer.concat([encodePosition(position), digestsFormat, this.digests.encode()])
    this.#environment.putSync(positionKey, encodeRow(positionKey, Math.max(position.version, 1), value))
  }

  /** Whether a check has read the row that is about to go; it is counted out then. */
  #forget(key: Buffer): boolean {
    this.#isChanging = true
    let isKnown = false
    for (let slot = 0; slot < this.#readKeys.length; slot++) {
      const read = this.#readKeys[slot]
      // Its last byte tells most others apart, at less than a call of `equals` costs.
      if (read === undefined || read.length !== key.length || read[key.length - 1] !== key[key.length - 1] || !read.equals(key)) continue
      const word = (at: number): number => this.#readWords[slotWords * slot + at] ?? 0
      if (word(absent) === 0 && !isKnown) this.digests.removeWords(tableOf(key), word(low), word(high))
      isKnown = true
      this.#readKeys[slot] = undefined
    }
    return isKnown
  }

  #countOut(key: Buffer): void {
    const stored = this.#environment.get(key)
    if (stored !== undefined) this.digests.remove(tableOf(key), stored, stored.length)
  }
}

function tableOf(key: Buffer): number {
  return key.readUInt8(0)
}

const positionBytes = 32
const digestsFormat = Buffer.of(1)

function encodePosition({ epoch, seq, checksum, version }: Position): Buffer {
  const value = Buffer.alloc(positionBytes)
  value.writeBigUInt64BE(BigInt(version), 0)
  value.writeBigUInt64BE(BigInt(epoch), 8)
  value.writeBigUInt64BE(BigInt(seq), 16)
  value.writeBigUInt64BE(checksum, 24)
  return value
}

export interface IndexState {
  readonly position: Position
  /** Absent in an index of before they were kept. */
  readonly digests: RowDigests | undefined
}

/** Before there was a journal, the row held the newest version alone; the digests came behind the position. */
function decodeState(value: Buffer): IndexState {
  const version = Number(value.readBigUInt64BE(0))
  if (value.length < positionBytes) return { position: { ...origin, version }, digests: undefined }
  const position = { version, epoch: Number(value.readBigUInt64BE(8)), seq: Number(value.readBigUInt64BE(16)), checksum: value.readBigUInt64BE(24) }
  return { position, digests: value.length === positionBytes ? undefined : RowDigests.decode(value.subarray(positionBytes + digestsFormat.length)) }
}

/** What is visible, or what a snapshot holds. Throws `Corrupt`. */
export function storedState(environment: Environment, transaction?: Transaction): IndexState {
  if (transaction === undefined) environment.resetReadTxn()
  const stored = environment.get(positionKey, transaction === undefined ? undefined : { transaction })
  return stored === undefined ? { position: origin, digests: new RowDigests() } : decodeState(decodeRow(positionKey, stored, stored.length).value)
}

/** Once, when an index of before is opened: what it holds is taken for all. */
function digestsOfRows(environment: Environment): RowDigests {
  const digests = new RowDigests()
  for (const { key, value } of environment.getRange({ end: positionKey })) digests.add(tableOf(key), value, value.length)
  return digests
}

/** lmdb-js rejects a failed commit with a promise of the reason in `commitError`. */
async function reasonOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'commitError' in thrown)) return thrown
  return Promise.resolve(thrown.commitError).catch((error: unknown) => error)
}

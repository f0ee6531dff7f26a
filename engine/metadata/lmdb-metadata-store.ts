import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { open } from 'lmdb'
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb'
import { AssertionError, must } from '../../base/assert.ts'
import { GiB, KiB, MiB } from '../../base/units.ts'
import { appendKey, bufferOf, checkKey, checkSizes, maxBoundBytes, seekableRange } from './keys.ts'
import { MetadataError } from './metadata-store.ts'
import type { Commit, CommitResult, Entry, KeyRange, ListRange, MetadataStore, Row } from './metadata-store.ts'
import { decodeRow, encodeRow, readVersion, writeVersion } from './row-format.ts'

export interface LmdbOptions {
  /** A directory of its own; made (durably) when it is missing. */
  readonly directory: string
  /** Address space to reserve at the start: see `defaultMapBytes`. */
  readonly mapBytes?: number
}

/**
 * The map is address space only, not memory or disk: pages exist once they are written. LMDB can
 * grow a map while it runs, but every process must then remap with no reader active; a map that is
 * never outgrown has no such moment. 16 TiB is an eighth of what x86-64 and arm64 give a process.
 * Where the system refuses that much, the largest power of two that it grants is taken.
 */
const defaultMapBytes = 16 * 1024 * GiB
const smallestMapBytes = GiB

/** One batch is bounded, so that no commit waits behind an endless one. */
const batchCommits = 1024
const batchBytes = 32 * MiB

/**
 * The row that counts versions. Longer than any key or range bound and after all of them, so that
 * it shares the tree (and its pages) with the rows but no caller can reach it.
 */
const counterKey = Buffer.alloc(maxBoundBytes + 1, 0xff)

const MDB_MAP_FULL = -30792
const EIO = 5
const ENOSPC = 28
const EDQUOT = 122

/** Room for a thousand readers (processes); see `allocateLock`. */
const lockBytes = 64 * KiB

interface PendingCommit {
  readonly commit: Commit
  readonly bytes: number
  readonly settle: (result: CommitResult) => void
  readonly fail: (error: Error) => void
}

/** What became of one commit of a batch, before the batch is durable. */
type Outcome = { readonly result: CommitResult } | { readonly error: Error }

/**
 * MetadataStore over LMDB, for any number of processes on one machine and directory.
 *
 * - `overlappingSync: false`: a transaction is written and synced, then its meta page is written
 *   and synced, and only then is it visible. (lmdb-js's default shows it before the sync.)
 * - Group commit: one batch is in flight per process; commits that arrive meanwhile wait and are
 *   then written by one transaction. LMDB's writer lock orders the batches of all processes.
 * - Checks are evaluated inside the write transaction, so after everything committed before.
 * - lmdb-js keeps its read transaction until the event turn ends; each read here begins a new one,
 *   so that it sees every commit that resolved before it, in any process.
 */
export class LmdbMetadataStore implements MetadataStore {
  readonly #db: RootDatabase<Buffer, Buffer>
  #waiting: PendingCommit[] = []
  /** Resolves when nothing waits any more. */
  #writing: Promise<void> | undefined
  #closed = false

  readonly #path: string

  private constructor(db: RootDatabase<Buffer, Buffer>, path: string) {
    this.#db = db
    this.#path = path
  }

  static open({ directory, mapBytes = defaultMapBytes }: LmdbOptions): LmdbMetadataStore {
    const path = resolve(directory)
    mkdirSync(path, { recursive: true })
    allocateLock(path)
    const db = openLargest(path, mapBytes)
    // LMDB syncs its file's content, not the entries that lead to it. An earlier start may have
    // been cut off in between, so this is done at every open.
    syncDirectory(path)
    syncDirectory(dirname(path))
    return new LmdbMetadataStore(db, path)
  }

  async get(key: Uint8Array): Promise<Entry | undefined> {
    this.#requireOpen()
    checkKey(key)
    this.#db.resetReadTxn()
    return this.#entryAt(bufferOf(key))
  }

  async list({ start, end, limit, reverse = false }: ListRange): Promise<Row[]> {
    this.#requireOpen()
    const range = seekableRange({ start, end })
    if (range === undefined || limit <= 0) return []
    this.#db.resetReadTxn()
    const bounds = reverse
      ? { start: range.end, exclusiveStart: true, end: range.start, inclusiveEnd: true, reverse }
      : { start: range.start, end: range.end }
    const rows: Row[] = []
    for (const { key, value } of this.#db.getRange({ ...bounds, limit })) rows.push(decodeRow(key, value, value.length))
    return rows
  }

  async commit(commit: Commit): Promise<CommitResult> {
    this.#requireOpen()
    checkSizes(commit)
    return new Promise((settle, fail) => {
      this.#waiting.push({ commit, bytes: bytesOf(commit), settle, fail })
      this.#writing ??= this.#writeBatches()
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#writing
    await this.#db.close()
  }

  async #writeBatches(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeBatch()
    this.#writing = undefined
  }

  /** The commits are taken when the writer lock is held: what arrived while waiting for it goes too. */
  async #writeBatch(): Promise<void> {
    let batch: PendingCommit[] = []
    let outcomes: Outcome[] = []
    try {
      // A child transaction, because only that is undone as a whole when a write in it fails.
      await this.#db.childTransaction(() => {
        batch = this.#takeBatch()
        outcomes = this.#apply(batch)
      })
    } catch (error) {
      // Without the lock no batch was taken: nobody may wait for ever.
      if (batch.length === 0) batch = this.#takeBatch()
      const failure = asMetadataError(await reasonOf(error), this.#path, batch)
      for (const { fail } of batch) fail(failure)
      return
    }
    for (const [index, { settle, fail }] of batch.entries()) {
      const outcome = must(outcomes[index], 'every commit of a batch has an outcome')
      if ('error' in outcome) fail(outcome.error)
      else settle(outcome.result)
    }
  }

  #takeBatch(): PendingCommit[] {
    let count = 0
    for (let bytes = 0; count < this.#waiting.length && count < batchCommits; count++) {
      bytes += this.#waiting[count]?.bytes ?? 0
      if (count > 0 && bytes > batchBytes) break
    }
    const batch = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    return batch
  }

  /** Inside the write transaction. What it throws undoes the batch. */
  #apply(batch: readonly PendingCommit[]): Outcome[] {
    const counter = this.#db.get(counterKey)
    const first = counter === undefined ? 0 : readVersion(decodeRow(counterKey, counter, counter.length).value, 0)
    let version = first
    const outcomes = batch.map(({ commit }): Outcome => {
      try {
        if (!this.#holds(commit)) return { result: { ok: false } }
      } catch (error) {
        if (error instanceof MetadataError) return { error }
        throw error
      }
      version++
      this.#write(commit, version)
      return { result: { ok: true, version } }
    })
    if (version > first) {
      const value = Buffer.alloc(8)
      writeVersion(value, 0, version)
      this.#put(counterKey, version, value)
    }
    return outcomes
  }

  #holds({ checks }: Commit): boolean {
    return checks.every((check) =>
      'empty' in check ? this.#isEmpty(check.empty) : this.#entryAt(bufferOf(check.key))?.version === check.version,
    )
  }

  #isEmpty(keyRange: KeyRange): boolean {
    const range = seekableRange(keyRange)
    if (range === undefined) return true
    return Array.from(this.#db.getKeys({ start: range.start, end: range.end, limit: 1 })).length === 0
  }

  #write({ puts, deletes, appends }: Commit, version: number): void {
    for (const key of deletes) this.#db.removeSync(bufferOf(key))
    for (const { key, value } of puts) this.#put(key, version, value)
    for (const [index, { prefix, value }] of appends.entries()) this.#put(appendKey(prefix, version, index), version, value)
  }

  #put(key: Uint8Array, version: number, value: Uint8Array): void {
    this.#db.putSync(bufferOf(key), encodeRow(key, version, value))
  }

  #entryAt(key: Buffer): Entry | undefined {
    const stored = this.#db.get(key)
    if (stored === undefined) return undefined
    const { value, version } = decodeRow(key, stored, stored.length)
    return { value, version }
  }

  #requireOpen(): void {
    if (this.#closed) throw new MetadataError('Closed', 'the metadata store has been closed')
  }
}

/** Values pass as they are: what `decode` gets is lmdb's own buffer until the next read; `decodeRow` copies it. */
const rawValues = {
  encode: (row: Buffer): Buffer => row,
  decode: (stored: Buffer): Buffer => stored,
}

function openLargest(path: string, mapBytes: number): RootDatabase<Buffer, Buffer> {
  for (let size = mapBytes; ; size /= 2) {
    const options = {
      path,
      noSubdir: false,
      keyEncoding: 'binary',
      encoder: rawValues,
      overlappingSync: false,
      mapSize: size,
      // Batches are made here. lmdb-js's own batch per event turn would also have a promise of its
      // own, which nobody sees: when a commit fails, its rejection ends the process.
      eventTurnBatching: false,
      // The server itself orders its writes and reads in one process: no other database in here.
      maxDbs: 1,
    } satisfies RootDatabaseOptionsWithPath & { encoder: unknown; eventTurnBatching: boolean }
    try {
      return open<Buffer, Buffer>(options)
    } catch (error) {
      if (size / 2 < smallestMapBytes) throw new MetadataError('OutcomeUnknown', `cannot open ${path}`, { cause: error })
    }
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function bytesOf({ puts, appends }: Commit): number {
  let bytes = 0
  for (const { value } of puts) bytes += value.byteLength
  for (const { value } of appends) bytes += value.byteLength
  return bytes
}

/**
 * LMDB maps its lock file and writes to it through the map. Where the file has holes and the drive
 * is full, such a write kills the process (SIGBUS): a server could not start to delete anything.
 * So the file is made whole before LMDB sees it; linked into place, because another process may be
 * about to use it.
 */
function allocateLock(path: string): void {
  const lock = join(path, 'lock.mdb')
  if (existsSync(lock)) return
  const whole = join(mkdtempSync(join(path, 'lock-')), 'whole')
  try {
    writeFileSync(whole, Buffer.alloc(lockBytes), { flush: true })
    linkSync(whole, lock)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return
    throw new MetadataError('Full', `cannot make ${lock}`, { cause })
  } finally {
    rmSync(dirname(whole), { recursive: true, force: true })
  }
}

/** lmdb-js rejects a failed commit with a promise of the reason in `commitError`. */
async function reasonOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'commitError' in thrown)) return thrown
  return Promise.resolve(thrown.commitError).catch((error: unknown) => error)
}

/**
 * LMDB writes pages, syncs them, then writes the meta page that makes them count: without space it
 * fails in the first step, and nothing has changed. When the drive takes a part of that write, it
 * reports EIO; how much room there is tells such a failure from a broken drive.
 */
function asMetadataError(cause: unknown, path: string, batch: readonly PendingCommit[]): Error {
  if (cause instanceof MetadataError || cause instanceof AssertionError) return cause
  const code = codeOf(cause)
  const full = code === MDB_MAP_FULL || code === ENOSPC || code === EDQUOT || (code === EIO && !hasRoom(path, batch))
  if (full) return new MetadataError('Full', 'no space left for the commit', { cause })
  return new MetadataError('OutcomeUnknown', 'the commit failed in the drive or in LMDB', { cause })
}

/** Whether twice what the batch writes, and some pages of the tree for each commit, would fit. */
function hasRoom(path: string, batch: readonly PendingCommit[]): boolean {
  const { bavail, bsize } = statfsSync(path)
  const needed = batch.reduce((sum, { bytes }) => sum + 2 * bytes + MiB / 4, 0)
  return bavail * bsize > needed
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

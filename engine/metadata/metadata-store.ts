/**
 * MetadataStore: an ordered key-value store with atomic, checked, durable commits.
 *
 * Keys are byte strings, 1 to `maxKeyBytes` long, ordered bytewise. Values are byte strings up to
 * `maxValueBytes`. Contract of every implementation (`metadata-store-suite.ts` holds it):
 *
 * - **Atomicity.** A commit applies all of its puts, deletes and appends, or none.
 * - **Serializability.** Commits have one total order over all processes on the store. A commit's
 *   checks are evaluated at its place in that order. Versions are positive, and grow along it.
 * - **Durability.** `commit` resolves with `ok: true` only after everything it wrote is on stable
 *   storage. Nothing is visible to any reader in any process before it is durable: a value that
 *   a read returned survives a power loss too.
 * - **Recency.** A read that starts after a commit resolved (in any process) sees that commit.
 *   One `list` call is a consistent snapshot; two calls are not.
 * - **Integrity.** Every row carries a checksum over key, version and value, verified on read.
 *
 * Errors are `MetadataError` with one of the codes below; a rejected `commit` with any code but
 * `OutcomeUnknown` changed nothing. Concurrent commits share one sync (group commit).
 */
export interface MetadataStore extends MetadataReader {
  /** The caller leaves the bytes it hands over unchanged until the promise settles. */
  commit(commit: Commit): Promise<CommitResult>
  /** Finishes commits under way, then releases the store. Idempotent. */
  close(): Promise<void>
}

export interface MetadataReader {
  get(key: Uint8Array): Promise<Entry | undefined>
  /** At most `limit` rows of `start <= key < end`, ascending, or descending with `reverse`. */
  list(range: ListRange): Promise<Row[]>
  /**
   * All rows of a table, of one snapshot, and the proof that these are all: commits keep a count and a digest of each table,
   * and what was met has to match them. Throws `Corrupt` when it does not, and `Closed` when the copy that is read changes
   * meanwhile: what was met then proves nothing.
   */
  walk(walk: TableWalk): Promise<void>
}

export interface TableWalk {
  /** The first byte of the keys; below 0xff. */
  readonly table: number
  /** Ascending, a bounded number at a time. Awaited: the snapshot is kept as long, and the space of what was replaced since. */
  readonly onRows: (rows: readonly Row[]) => Promise<void> | void
}

/** A reader with something open of its own. */
export interface ClosableReader extends MetadataReader {
  close(): Promise<void>
}

export interface Entry {
  readonly value: Buffer
  /** The version of the commit that wrote this row. */
  readonly version: number
}

export interface Row extends Entry {
  readonly key: Buffer
}

export interface KeyRange {
  /** Inclusive. */
  readonly start: Uint8Array
  /** Exclusive. */
  readonly end: Uint8Array
}

export interface ListRange extends KeyRange {
  readonly limit: number
  readonly reverse?: boolean
}

export interface Commit {
  readonly checks: readonly Check[]
  readonly puts: readonly Put[]
  readonly deletes: readonly Uint8Array[]
  readonly appends: readonly Append[]
}

export type Check =
  /** The row at `key` has exactly this version; `undefined`: there is no row. */
  | { readonly key: Uint8Array; readonly version: number | undefined }
  /** There is no row in the range. */
  | { readonly empty: KeyRange }

export interface Put {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * A row whose key is `prefix`, then the commit's version (8 bytes, big endian), then the append's
 * index in the commit (2 bytes, big endian). Rows appended under one prefix are therefore ordered
 * as their commits are, which no clock could promise: a consumer that keeps a cursor misses nothing.
 */
export interface Append {
  readonly prefix: Uint8Array
  readonly value: Uint8Array
}

export type CommitResult =
  | { readonly ok: true; readonly version: number }
  /** A check failed; nothing changed. */
  | { readonly ok: false }

export const maxKeyBytes = 1900
export const maxValueBytes = 16 * 1024 * 1024

/**
 * - `Corrupt`: a row's checksum does not match; the message names the key in hex.
 * - `Full`: no space for the commit; nothing changed.
 * - `TooLarge`: a key or a value is over its limit; nothing changed.
 * - `Unwritable`: too few drives are there to make a commit durable; nothing changed.
 * - `OutcomeUnknown`: the commit may or may not have happened (I/O error on sync, lost connection).
 * - `Closed`: the store has been closed.
 */
export type MetadataErrorCode = 'Corrupt' | 'Full' | 'TooLarge' | 'Unwritable' | 'OutcomeUnknown' | 'Closed'

export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  readonly code: MetadataErrorCode

  constructor(code: MetadataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * CatalogStore: what the catalog needs of the world, and all of it. The server's adapter joins it
 * with the object store, so that a table's pointer, its metadata.json, the idempotency record and
 * the event are one durable commit; `memory-catalog-store.ts` serves tests.
 *
 * Contract (held by `catalog-store-suite.ts`):
 * - `transact` runs `body` on an optimistic transaction: everything it `get`s is checked at the
 *   commit, and the body runs again when a check fails; it must therefore be repeatable. It resolves
 *   once all of the writes are durable and visible; when the body throws, nothing is written.
 * - A file put in a transaction is visible exactly when the rest of the commit is.
 * - Errors that are not the body's own are `CatalogStoreError`.
 */
export interface CatalogStore {
  transact<T>(body: (tx: CatalogTransaction) => Promise<T>): Promise<T>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** At most `limit` rows of `start <= key < end`, ascending; one consistent snapshot. */
  list(range: { readonly start: Uint8Array; readonly end: Uint8Array; readonly limit: number }): Promise<{ key: Uint8Array; value: Uint8Array }[]>
  /** The bytes of a file; `FileNotFound` when there is none, `BadLocation` outside any warehouse bucket, `FileTooLarge` for memory, or for `maxBytes`. */
  readFile(location: string, limit?: { readonly maxBytes: number }): Promise<Uint8Array>
  /** What a file is made of: one own part unless it was put in parts. Errors as `readFile`. */
  readParts(location: string): Promise<readonly FilePart[]>
  /** A file's bytes, all or a range, at the reader's pace. Errors as `readFile`, when reading begins. */
  readRange(location: string, range?: { readonly offset: number; readonly length: number }): AsyncIterable<Uint8Array>
  fileExists(location: string): Promise<boolean>
}

/**
 * Bytes that files share: stored once, immutable, there as long as one file has them. A `sharedId`
 * names a sequence of such bytes, which only grows.
 */
export interface SharedBytes {
  readonly sharedId: string
  readonly offset: number
  readonly sizeBytes: number
}

export type FilePart = { readonly kind: 'own'; readonly bytes: Uint8Array } | ({ readonly kind: 'shared' } & SharedBytes)

/** `shareable`: bytes that later files may share; they join the sequence that the part before them ends, or begin one. */
export type NewFilePart = FilePart | { readonly kind: 'shareable'; readonly bytes: Uint8Array }

export interface PartsPut {
  readonly sharedBy: string | undefined
  readonly contentType: string
  /** As of `putFile`. */
  readonly pinned?: boolean
  readonly onLinked?: (parts: readonly FilePart[]) => void
}

export interface CatalogTransaction {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Unchecked: follow with `get` on what the decision rests on, or `requireEmpty`. */
  list(range: { readonly start: Uint8Array; readonly end: Uint8Array; readonly limit: number }): Promise<{ key: Uint8Array; value: Uint8Array }[]>
  /** The commit fails (and the body runs again) unless the range is empty then. */
  requireEmpty(range: { readonly start: Uint8Array; readonly end: Uint8Array }): void
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  /** A new object at `location` (`s3://bucket/key`), published by this commit, and pinned by it unless it is not to be. */
  putFile(location: string, bytes: Uint8Array, contentType: string, options?: { readonly pinned?: boolean }): Promise<void>
  /**
   * As `putFile`, in parts; `sharedBy` is the file that has what is shared, as it is when the commit is
   * made. `onLinked` is told, before the commit, what `readParts` will answer after it.
   */
  putParts(location: string, parts: readonly NewFilePart[], put: PartsPut): Promise<void>
  /**
   * One holder more of the file: while it has one, nobody can replace or delete it, through whatever
   * door. The file is as it is read after this, or the commit fails. `FileNotFound`.
   */
  pinFile(location: string): Promise<void>
  /** One holder less; nothing when there is no such file, or it has none. */
  unpinFile(location: string): Promise<void>
  /** The object at `location`, removed by this commit; nothing when there is none, or it is pinned. */
  deleteFile(location: string): Promise<void>
  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void
}

/**
 * - `FileNotFound`, `BadLocation`, `FileTooLarge`: see `readFile`.
 * - `Unavailable`: nothing was done, a retry may help (contention, no quorum, draining).
 * - `StorageFull`: nothing was done; no space.
 * - `OutcomeUnknown`: the commit may or may not have happened.
 */
export type CatalogStoreErrorCode = 'FileNotFound' | 'BadLocation' | 'FileTooLarge' | 'Unavailable' | 'StorageFull' | 'OutcomeUnknown'

export class CatalogStoreError extends Error {
  override readonly name = 'CatalogStoreError'
  readonly code: CatalogStoreErrorCode

  constructor(code: CatalogStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * BlobStore: immutable blobs by id. Contract of every implementation (`blob-store-suite.ts` holds it):
 *
 * - **Durability.** `write` resolves only after the blob's bytes *and its directory entry* are on
 *   stable storage. A blob needs no rename: it is invisible until a metadata commit refers to it.
 * - **Immutability.** A blob never changes; its id is never used again.
 * - **Integrity.** `read` verifies every block before it yields any byte of it.
 * - **Memory.** `write` and `read` hold a bounded number of blocks, whatever the blob's size, and
 *   follow the consumer's pace.
 * - `delete` is idempotent. A reader that has yielded its first block finishes even when the blob
 *   is deleted meanwhile.
 */
export interface BlobStore {
  /**
   * Stores everything `source` yields. When the source throws, or space runs out, nothing stays
   * behind but garbage that `list` shows, and the error is passed on.
   */
  write(source: AsyncIterable<Uint8Array>, redundancy?: Redundancy): Promise<BlobRef>
  /**
   * The bytes `offset … offset + length - 1`; the range must lie within the blob. A yielded buffer is the consumer's
   * until it asks for the next one: then it is filled again.
   */
  read(ref: BlobRef, range: { readonly offset: number; readonly length: number }): AsyncIterable<Buffer>
  delete(blobId: string): Promise<void>
  /** Every stored blob, partly written ones included, in no particular order. */
  list(): AsyncIterable<StoredBlob>
}

/** What a metadata row keeps of a blob. A plain value: it is stored as JSON. */
export interface BlobRef {
  /** 26 characters, a ULID: its first 10 tell when the blob was begun. */
  readonly blobId: string
  readonly sizeBytes: number
  /** How the bytes are laid out; a later layout adds a name, never a new meaning for an old one. */
  readonly layout: BlobLayout
}

export type BlobLayout =
  /** One file (`block-layout.ts`). */
  | { readonly kind: 'blocks'; readonly blockBytes: number }
  /** A shard on each drive of a set (`shard-layout.ts`). */
  | { readonly kind: 'stripes'; readonly set: number; readonly dataShards: number; readonly parityShards: number; readonly blockBytes: number }

/** How many drives a blob survives, where the store has several: what is configured for the one or the other storage class. */
export type Redundancy = 'standard' | 'reduced'

export interface StoredBlob {
  readonly blobId: string
  /** When writing began, milliseconds since the epoch, from the id. */
  readonly begunAtMs: number
  readonly storedBytes: number
}

/**
 * - `NotFound`: there is no blob of that id.
 * - `Corrupt`: a block does not match its checksum, or is cut short.
 * - `Full`: no space left.
 * - `Unwritable`: fewer drives can be written than a write needs; try again.
 * - `Unreadable`: fewer drives can be read than the blob needs, and those that cannot may have it; try again.
 * - `Io`: the drive failed in another way.
 */
export type BlobErrorCode = 'NotFound' | 'Corrupt' | 'Full' | 'Unwritable' | 'Unreadable' | 'Io'

export class BlobError extends Error {
  override readonly name = 'BlobError'
  readonly code: BlobErrorCode

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

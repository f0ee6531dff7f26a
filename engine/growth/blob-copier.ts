import type { BlobRef, StoredBlob } from '../blobs/blob-store.ts'

/** What moving a blob to another set of drives needs of the store. */
export interface BlobCopier {
  /**
   * The blob's bytes, each block of them verified, as a new blob of that set, durable, as redundant there as it was.
   * Throws `BlobError`; then nothing stays behind but garbage.
   */
  copyTo(ref: BlobRef, set: number): Promise<BlobRef>
  /** Every blob that is stored on a set, as far as its drives can be read. */
  listSet(set: number): AsyncIterable<StoredBlob>
}

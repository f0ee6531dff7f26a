import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { ulid, ulidTimeMs } from '../../base/ulid.ts'
import { KiB } from '../../base/units.ts'
import { blobSeed, blockHash } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import type { BlobRef, BlobStore, StoredBlob } from './blob-store.ts'

const blockBytes = 64 * KiB

interface Block {
  readonly bytes: Buffer
  readonly hash: bigint
}

/** BlobStore in memory, for tests. Blocks carry the same checksums as on a drive. */
export class MemoryBlobStore implements BlobStore {
  readonly #clock: Clock
  readonly #random: Random
  readonly #blobs = new Map<string, Block[]>()

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  async write(source: AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const blobId = ulid(this.#clock, this.#random)
    const chunks: Buffer[] = []
    for await (const chunk of source) chunks.push(Buffer.from(chunk))
    const all = Buffer.concat(chunks)
    const blocks: Block[] = []
    for (let start = 0; start < all.length; start += blockBytes) {
      const bytes = all.subarray(start, start + blockBytes)
      blocks.push({ bytes, hash: blockHash(blobSeed(blobId), blocks.length, bytes) })
    }
    this.#blobs.set(blobId, blocks)
    return { blobId, sizeBytes: all.length, layout: { kind: 'blocks', blockBytes } }
  }

  async *read({ blobId, sizeBytes }: BlobRef, { offset, length }: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer, void, undefined> {
    assert(offset >= 0 && length >= 0 && offset + length <= sizeBytes, 'the range lies within the blob')
    if (length === 0) return
    const blocks = this.#blobs.get(blobId)
    if (blocks === undefined) throw new BlobError('NotFound', `there is no blob ${blobId}`)
    for (const [index, { bytes, hash }] of blocks.entries()) {
      const blockStart = index * blockBytes
      const start = Math.max(0, offset - blockStart)
      const end = Math.min(bytes.length, offset + length - blockStart)
      if (start >= end) continue
      if (blockHash(blobSeed(blobId), index, bytes) !== hash) throw new BlobError('Corrupt', `block ${index} of blob ${blobId} does not match its checksum`)
      yield Buffer.from(bytes.subarray(start, end))
    }
  }

  async delete(blobId: string): Promise<void> {
    this.#blobs.delete(blobId)
  }

  async *list(): AsyncGenerator<StoredBlob, void, undefined> {
    for (const [blobId, blocks] of this.#blobs) {
      yield { blobId, begunAtMs: ulidTimeMs(blobId), storedBytes: blocks.reduce((sum, { bytes }) => sum + bytes.length, 0) }
    }
  }

  /** For tests of integrity: changes one stored byte. */
  tamper(blobId: string, position: number): void {
    const bytes = this.#blobs.get(blobId)?.[Math.floor(position / blockBytes)]?.bytes
    assert(bytes !== undefined, 'the blob to tamper with is there')
    bytes[position % blockBytes] = (bytes[position % blockBytes] ?? 0) ^ 1
  }
}

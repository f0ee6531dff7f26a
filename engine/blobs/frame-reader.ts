import type { DriveFile } from '../drives/drive.ts'
import { blobSeed, blockHash, framePosition, hashBytes, sliceOf } from './block-layout.ts'
import type { BlockSlice } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import type { BlobRef } from './blob-store.ts'
import type { BufferPool } from './buffer-pool.ts'
import { onDrive } from './on-drive.ts'

/** Frames of one read: half a megabyte in blocks of 128 KiB, a quarter of the calls. */
const framesAtOnce = 4
/** Reads of one stream under way or waiting for the consumer. */
const readsAhead = 2

/** The blocks right behind one another, then their hashes. */
interface Frames {
  readonly slices: readonly BlockSlice[]
  readonly buffer: Buffer
}

/**
 * Reads a range's frames in long reads, verifies their blocks as their turn comes, and yields the part of them that the
 * range covers, in one piece: what a piece costs on its way to a socket does not depend on its length. A yielded buffer is
 * the consumer's until it asks for the next.
 */
export class FrameReader {
  readonly #file: DriveFile
  readonly #ref: BlobRef
  readonly #range: { readonly offset: number; readonly length: number }
  readonly #pool: BufferPool
  readonly #seed: bigint
  readonly #last: number
  #next: number
  readonly #ahead: Promise<Frames>[] = []

  constructor(file: DriveFile, ref: BlobRef, range: { readonly offset: number; readonly length: number }, pool: BufferPool) {
    this.#file = file
    this.#ref = ref
    this.#range = range
    this.#pool = pool
    this.#seed = blobSeed(ref.blobId)
    this.#next = Math.floor(range.offset / ref.layout.blockBytes)
    this.#last = Math.floor((range.offset + range.length - 1) / ref.layout.blockBytes)
  }

  async *blocks(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      while (this.#next <= this.#last && this.#ahead.length < readsAhead) this.#readAhead()
      const frames = await this.#ahead.shift()
      if (frames === undefined) return
      yield this.#verified(frames)
      // Not when the consumer stopped half-way: it may still be sending what it has.
      if (frames.buffer.length === this.#pooledBytes) this.#pool.giveBack(frames.buffer)
    }
  }

  /** No read is under way any more when this resolves. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ahead)
  }

  get #pooledBytes(): number {
    return framesAtOnce * (hashBytes + this.#ref.layout.blockBytes)
  }

  #readAhead(): void {
    const { sizeBytes, layout } = this.#ref
    const slices: BlockSlice[] = []
    const first = this.#next
    for (; this.#next <= this.#last && slices.length < framesAtOnce; this.#next++) {
      slices.push(sliceOf(this.#next, this.#range, sizeBytes, layout.blockBytes))
    }
    const read = this.#read(slices, framePosition(first, layout.blockBytes))
    // The consumer may never come to these blocks; their failure is then nobody's.
    read.catch(() => undefined)
    this.#ahead.push(read)
  }

  async #read(slices: readonly BlockSlice[], position: number): Promise<Frames> {
    const blocksEnd = blockBytesOf(slices)
    const bytes = blocksEnd + slices.length * hashBytes
    const buffer = slices.length === framesAtOnce ? this.#pool.take(this.#pooledBytes) : Buffer.allocUnsafeSlow(bytes)
    let at = 0
    const targets = slices.flatMap((slice, index) => {
      const hashAt = blocksEnd + index * hashBytes
      const block = buffer.subarray(at, at + slice.bytes)
      at += slice.bytes
      return [buffer.subarray(hashAt, hashAt + hashBytes), block]
    })
    const count = await onDrive(this.#file.readInto(targets, position))
    if (count < bytes) throw new BlobError('Corrupt', `blob ${this.#ref.blobId} is cut short`)
    return { slices, buffer }
  }

  #verified({ slices, buffer }: Frames): Buffer {
    const blocksEnd = blockBytesOf(slices)
    let at = 0
    for (const [place, { index, bytes }] of slices.entries()) {
      if (blockHash(this.#seed, index, buffer.subarray(at, at + bytes)) !== buffer.readBigUInt64LE(blocksEnd + place * hashBytes)) {
        throw new BlobError('Corrupt', `block ${index} of blob ${this.#ref.blobId} does not match its checksum`)
      }
      at += bytes
    }
    // All but the first begin with their block, all but the last end with it.
    const lacking = slices.at(-1)
    return buffer.subarray(slices[0]?.start ?? 0, blocksEnd - (lacking === undefined ? 0 : lacking.bytes - lacking.end))
  }
}

function blockBytesOf(slices: readonly BlockSlice[]): number {
  return slices.reduce((sum, { bytes }) => sum + bytes, 0)
}

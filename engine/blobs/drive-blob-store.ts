import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { ulid, ulidPattern, ulidTimeMs } from '../../base/ulid.ts'
import { KiB } from '../../base/units.ts'
import { DirectorySyncs } from '../drives/directory-sync.ts'
import { pageBuffer } from '../drives/page-memory.ts'
import type { Drive, DriveFile } from '../drives/drive.ts'
import { blobDirectories, directoryOf } from './block-layout.ts'
import { BufferPool } from './buffer-pool.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { onDrive } from './on-drive.ts'
import { BlobError } from './blob-store.ts'
import type { BlobRef, BlobStore, StoredBlob } from './blob-store.ts'

export interface DriveBlobOptions {
  /** Formatted: `blobs/00` to `blobs/ff` are there. */
  readonly drive: Drive
  readonly clock: Clock
  readonly random: Random
  /** Of blobs to be written; those that are there keep theirs. */
  readonly blockBytes?: number
}

/**
 * Chosen by `bench/micro/blobs.ts`: 64 KiB costs a third more CPU to stream, 256 KiB streams no
 * better and makes a short range (a Parquet footer) nearly twice as dear.
 */
const defaultBlockBytes = 128 * KiB
/** Idle buffers that are kept to read into. */
const pooledBuffers = 32
/** And to write from: as many as a hundred streams use at once, since their memory is given back late. */
const pooledWriteBuffers = 256

/** BlobStore on one drive: a blob is a file of checksummed blocks (`block-layout.ts`). */
export class DriveBlobStore implements BlobStore {
  readonly #drive: Drive
  readonly #clock: Clock
  readonly #random: Random
  readonly #blockBytes: number
  readonly #directorySyncs: DirectorySyncs
  readonly #writeBuffers = new BufferPool(pooledWriteBuffers, pageBuffer)
  readonly #readBuffers = new BufferPool(pooledBuffers)

  constructor({ drive, clock, random, blockBytes = defaultBlockBytes }: DriveBlobOptions) {
    this.#drive = drive
    this.#clock = clock
    this.#random = random
    this.#blockBytes = blockBytes
    this.#directorySyncs = new DirectorySyncs(drive)
  }

  async write(source: AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const blobId = ulid(this.#clock, this.#random)
    const directory = directoryOf(blobId)
    const path = pathOf(blobId)
    const file = await onDrive(this.#drive.create(path))
    try {
      const sizeBytes = await this.#writeBlocks(file, blobId, source)
      // The order of the two does not matter: nothing refers to the blob before both are done.
      await onDrive(allDone([file.sync(), this.#directorySyncs.sync(directory)]))
      return { blobId, sizeBytes, layout: { kind: 'blocks', blockBytes: this.#blockBytes } }
    } catch (error) {
      await this.#drive.remove(path).catch(() => undefined)
      throw error
    } finally {
      await file.close().catch(() => undefined)
    }
  }

  async *read(ref: BlobRef, range: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer, void, undefined> {
    const { offset, length } = range
    assert(offset >= 0 && length >= 0 && offset + length <= ref.sizeBytes, 'the range lies within the blob')
    if (length === 0) return
    const file = await onDrive(this.#drive.open(pathOf(ref.blobId)))
    const frames = new FrameReader(file, ref, range, this.#readBuffers)
    try {
      yield* frames.blocks()
    } finally {
      await frames.settled()
      await file.close().catch(() => undefined)
    }
  }

  /** Not synced: a removal that a power loss undoes leaves garbage, which is collected again. */
  async delete(blobId: string): Promise<void> {
    await onDrive(this.#drive.remove(pathOf(blobId))).catch(ignoreNotFound)
  }

  async *list(): AsyncGenerator<StoredBlob, void, undefined> {
    for (const directory of blobDirectories) {
      for (const blobId of await onDrive(this.#drive.list(directory))) {
        if (!ulidPattern.test(blobId)) continue
        const storedBytes = await onDrive(this.#drive.sizeOf(pathOf(blobId))).catch(ignoreNotFound)
        if (storedBytes !== undefined) yield { blobId, begunAtMs: ulidTimeMs(blobId), storedBytes }
      }
    }
  }

  async #writeBlocks(file: DriveFile, blobId: string, source: AsyncIterable<Uint8Array>): Promise<number> {
    const writes = new FrameWriter(file, blobId, this.#blockBytes, this.#writeBuffers)
    try {
      for await (const chunk of source) {
        for (let taken = 0; taken < chunk.byteLength; ) {
          taken += writes.fill(chunk, taken)
          if (writes.isFull) await writes.flush()
        }
      }
      return await writes.finish()
    } finally {
      await writes.release()
    }
  }
}

function pathOf(blobId: string): string {
  return `${directoryOf(blobId)}/${blobId}`
}

/** All of them, even when one fails: no operation goes on behind the caller's back. */
async function allDone(operations: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(operations)
  await Promise.all(operations)
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof BlobError && error.code === 'NotFound') return undefined
  throw error
}

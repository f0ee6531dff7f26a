import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { ulid, ulidPattern, ulidTimeMs } from '../../base/ulid.ts'
import { KiB } from '../../base/units.ts'
import { DirectorySyncs } from '../drives/directory-sync.ts'
import { DriveError } from '../drives/drive.ts'
import type { Drive, DriveFile } from '../drives/drive.ts'
import { blobDirectories, blobSeed, blockHash, directoryOf, encodeHeader, framePosition, hashBytes, headerBytes, sliceOf } from './block-layout.ts'
import type { BlockSlice } from './block-layout.ts'
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
/** Blocks of one stream that are being written or read: two thirds of a megabyte with the one being filled. */
const blocksInFlight = 4
/** Idle write buffers that are kept. */
const pooledBuffers = 32

/** BlobStore on one drive: a blob is a file of checksummed blocks (`block-layout.ts`). */
export class DriveBlobStore implements BlobStore {
  readonly #drive: Drive
  readonly #clock: Clock
  readonly #random: Random
  readonly #blockBytes: number
  readonly #directorySyncs: DirectorySyncs
  readonly #buffers: Buffer[] = []

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
    const { blobId, sizeBytes, layout } = ref
    const { offset, length } = range
    assert(offset >= 0 && length >= 0 && offset + length <= sizeBytes, 'the range lies within the blob')
    if (length === 0) return
    const last = Math.floor((offset + length - 1) / layout.blockBytes)
    let next = Math.floor(offset / layout.blockBytes)
    const seed = blobSeed(blobId)
    const file = await onDrive(this.#drive.open(pathOf(blobId)))
    const ahead: Promise<Buffer>[] = []
    try {
      do {
        for (; next <= last && ahead.length < blocksInFlight; next++) {
          const block = readBlock(file, blobId, seed, layout.blockBytes, sliceOf(next, range, sizeBytes, layout.blockBytes))
          // The consumer may never come to this block; its failure is then nobody's.
          block.catch(() => undefined)
          ahead.push(block)
        }
        const block = await ahead.shift()
        if (block !== undefined) yield block
      } while (ahead.length > 0 || next <= last)
    } finally {
      await Promise.allSettled(ahead)
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
    const writes = new FrameWriter(file, blobId, this.#blockBytes, this.#buffers)
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

/**
 * Cuts a stream into frames and writes them, some in flight. A buffer holds the header's place, a
 * hash and a block, so that every block is filled once and written in one operation.
 */
class FrameWriter {
  readonly #file: DriveFile
  readonly #blobId: string
  readonly #blockBytes: number
  readonly #pool: Buffer[]
  readonly #seed: bigint
  readonly #inFlight: Promise<void>[] = []
  #buffer: Buffer
  #filled = 0
  #index = 0

  constructor(file: DriveFile, blobId: string, blockBytes: number, pool: Buffer[]) {
    this.#file = file
    this.#blobId = blobId
    this.#blockBytes = blockBytes
    this.#pool = pool
    this.#seed = blobSeed(blobId)
    this.#buffer = this.#takeBuffer()
  }

  get isFull(): boolean {
    return this.#filled === this.#blockBytes
  }

  /** Takes what fits of `chunk` from `start`; the number of bytes taken. */
  fill(chunk: Uint8Array, start: number): number {
    const count = Math.min(chunk.byteLength - start, this.#blockBytes - this.#filled)
    this.#buffer.set(start === 0 && count === chunk.byteLength ? chunk : chunk.subarray(start, start + count), blockStart + this.#filled)
    this.#filled += count
    return count
  }

  /** Hands the block over to be written; waits while too many are. */
  async flush(): Promise<void> {
    this.#start()
    while (this.#inFlight.length >= blocksInFlight) await this.#inFlight.shift()
    this.#buffer = this.#takeBuffer()
  }

  /** Writes what is left; the blob's size once everything is written. */
  async finish(): Promise<number> {
    const sizeBytes = this.#index * this.#blockBytes + this.#filled
    if (this.#filled > 0 || this.#index === 0) this.#start()
    await Promise.all(this.#inFlight)
    return sizeBytes
  }

  /** No write is under way any more when this resolves. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    this.#giveBack(this.#buffer)
  }

  #start(): void {
    const buffer = this.#buffer
    const end = blockStart + this.#filled
    if (this.#filled > 0) {
      buffer.writeBigUInt64LE(blockHash(this.#seed, this.#index, buffer.subarray(blockStart, end)), headerBytes)
    }
    if (this.#index === 0) encodeHeader(buffer, this.#blobId, this.#blockBytes)
    const frame = this.#index === 0 ? buffer.subarray(0, this.#filled > 0 ? end : headerBytes) : buffer.subarray(headerBytes, end)
    const position = this.#index === 0 ? 0 : framePosition(this.#index, this.#blockBytes)
    const write = onDrive(this.#file.write(frame, position)).finally(() => this.#giveBack(buffer))
    write.catch(() => undefined)
    this.#inFlight.push(write)
    this.#index++
    this.#filled = 0
    this.#buffer = empty
  }

  #takeBuffer(): Buffer {
    return this.#pool.pop() ?? Buffer.allocUnsafeSlow(blockStart + this.#blockBytes)
  }

  #giveBack(buffer: Buffer): void {
    if (buffer !== empty && this.#pool.length < pooledBuffers) this.#pool.push(buffer)
  }
}

const blockStart = headerBytes + hashBytes
const empty = Buffer.alloc(0)

async function readBlock(file: DriveFile, blobId: string, seed: bigint, blockBytes: number, slice: BlockSlice): Promise<Buffer> {
  const frame = Buffer.allocUnsafeSlow(hashBytes + slice.bytes)
  const count = await onDrive(file.read(frame, framePosition(slice.index, blockBytes)))
  if (count < frame.length) throw new BlobError('Corrupt', `block ${slice.index} of blob ${blobId} is cut short`)
  if (blockHash(seed, slice.index, frame.subarray(hashBytes)) !== frame.readBigUInt64LE(0)) {
    throw new BlobError('Corrupt', `block ${slice.index} of blob ${blobId} does not match its checksum`)
  }
  return frame.subarray(hashBytes + slice.start, hashBytes + slice.end)
}

function pathOf(blobId: string): string {
  return `${directoryOf(blobId)}/${blobId}`
}

/** All of them, even when one fails: no operation goes on behind the caller's back. */
async function allDone(operations: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(operations)
  await Promise.all(operations)
}

async function onDrive<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    if (error instanceof DriveError) throw new BlobError(error.code === 'Exists' ? 'Io' : error.code, error.message, { cause: error })
    throw error
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof BlobError && error.code === 'NotFound') return undefined
  throw error
}

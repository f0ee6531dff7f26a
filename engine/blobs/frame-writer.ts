import type { DriveFile } from '../drives/drive.ts'
import { blobSeed, blockHash, encodeHeader, framePosition, hashBytes, headerBytes } from './block-layout.ts'
import type { BufferPool } from './buffer-pool.ts'
import { onDrive } from './on-drive.ts'

/** Blocks of one stream that are being written: two thirds of a megabyte with the one being filled. */
const blocksInFlight = 4

const blockStart = headerBytes + hashBytes
const empty = Buffer.alloc(0)

/**
 * Cuts a stream into frames and writes them, some in flight. A buffer holds the header's place, a
 * hash and a block, so that every block is filled once and written in one operation.
 */
export class FrameWriter {
  readonly #file: DriveFile
  readonly #blobId: string
  readonly #blockBytes: number
  readonly #pool: BufferPool
  readonly #seed: bigint
  readonly #inFlight: Promise<void>[] = []
  #buffer: Buffer
  #filled = 0
  #index = 0

  constructor(file: DriveFile, blobId: string, blockBytes: number, pool: BufferPool) {
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
    return this.#pool.take(blockStart + this.#blockBytes)
  }

  #giveBack(buffer: Buffer): void {
    if (buffer !== empty) this.#pool.giveBack(buffer)
  }
}

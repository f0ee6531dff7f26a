import type { DriveFile } from '../drives/drive.ts'
import { pageBytes } from '../drives/page-memory.ts'
import { blobSeed, blockHash, encodeHeader, hashBytes, headerBytes } from './block-layout.ts'
import type { BufferPool } from './buffer-pool.ts'
import { onDrive } from './on-drive.ts'

/** Frames that are written in one operation: 256 KiB of the usual blocks. More of them write no faster, and a hundred streams hold them all. */
const framesPerWrite = 2
/** Writes of one stream that are under way while the next one is filled. */
const writesInFlight = 2

const empty = Buffer.alloc(0)

/**
 * Cuts a stream into frames and writes several of them at once, some writes in flight. Every byte is
 * put into its place in the file once; what a write leaves over of its last page is the beginning of
 * the next write, so that all but the last are whole pages, which a drive takes past its cache.
 */
export class FrameWriter {
  readonly #file: DriveFile
  readonly #blockBytes: number
  readonly #pool: BufferPool
  readonly #seed: bigint
  readonly #inFlight: Promise<void>[] = []
  #buffer: Buffer
  /** The file's position of the buffer's first byte. */
  #position = 0
  /** Where in the buffer the frame begins that is being filled, and how much of its block is there. */
  #frameStart = headerBytes
  #filled = 0
  #index = 0

  constructor(file: DriveFile, blobId: string, blockBytes: number, pool: BufferPool) {
    this.#file = file
    this.#blockBytes = blockBytes
    this.#pool = pool
    this.#seed = blobSeed(blobId)
    this.#buffer = this.#takeBuffer()
    encodeHeader(this.#buffer, blobId, blockBytes)
  }

  get isFull(): boolean {
    return this.#filled === this.#blockBytes
  }

  /** Takes what fits of `chunk` into the block from `start`; the number of bytes taken. */
  fill(chunk: Uint8Array, start: number): number {
    const count = Math.min(chunk.byteLength - start, this.#blockBytes - this.#filled)
    const bytes = start === 0 && count === chunk.byteLength ? chunk : chunk.subarray(start, start + count)
    this.#buffer.set(bytes, this.#frameStart + hashBytes + this.#filled)
    this.#filled += count
    return count
  }

  /** Ends the full block. Waits while too many writes are under way. */
  async flush(): Promise<void> {
    this.#endFrame()
    if (this.#index % framesPerWrite !== 0) return
    const kept = this.#frameStart >= pageBytes ? this.#frameStart % pageBytes : 0
    const written = this.#buffer
    const next = this.#frameStart - kept
    this.#buffer = this.#takeBuffer()
    this.#buffer.set(written.subarray(next, next + kept))
    this.#start(written, next)
    this.#frameStart = kept
    while (this.#inFlight.length >= writesInFlight) await this.#inFlight.shift()
  }

  /** Writes what is left; the blob's size once everything is written. */
  async finish(): Promise<number> {
    const sizeBytes = this.#index * this.#blockBytes + this.#filled
    if (this.#filled > 0) this.#endFrame()
    const last = this.#buffer
    this.#buffer = empty
    if (this.#frameStart > 0) this.#start(last, this.#frameStart)
    else this.#giveBack(last)
    await Promise.all(this.#inFlight)
    return sizeBytes
  }

  /** No write is under way any more when this resolves. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    this.#giveBack(this.#buffer)
  }

  #endFrame(): void {
    const blockStart = this.#frameStart + hashBytes
    const end = blockStart + this.#filled
    this.#buffer.writeBigUInt64LE(blockHash(this.#seed, this.#index, this.#buffer.subarray(blockStart, end)), this.#frameStart)
    this.#frameStart = end
    this.#filled = 0
    this.#index++
  }

  #start(buffer: Buffer, sizeBytes: number): void {
    const write = onDrive(this.#file.write(buffer.subarray(0, sizeBytes), this.#position)).finally(() => this.#giveBack(buffer))
    write.catch(() => undefined)
    this.#inFlight.push(write)
    this.#position += sizeBytes
  }

  #takeBuffer(): Buffer {
    return this.#pool.take(pageBytes + headerBytes + framesPerWrite * (hashBytes + this.#blockBytes))
  }

  #giveBack(buffer: Buffer): void {
    if (buffer !== empty) this.#pool.giveBack(buffer)
  }
}

import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { DriveFile } from '../drives/drive.ts'
import { DriveError } from '../drives/drive.ts'
import { pageBytes } from '../drives/page-memory.ts'
import type { SetMember } from '../drives/set-member.ts'
import type { ErasureCode } from '../erasure/erasure-code.ts'
import { hashBytes } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import {
  encodeShardFooter, encodeShardHeader, shardBlockHash, shardFooterBytes, shardHeaderBytes, shardSeed, type StripeShape,
} from './shard-layout.ts'
import { regionBytes, stripesAtOnce, type StripeBuffer, type StripeBuffers } from './stripe-buffers.ts'

/** Groups of stripes that are being written while the next one fills. */
const groupsInFlight = 2

/** A shard that is being written to its drive. */
interface OpenShard {
  readonly index: number
  readonly member: SetMember
  readonly path: string
  file: DriveFile | undefined
  /** Set once it cannot be completed. */
  failure: unknown
  /** It was waited for as long as any drive is: what it still does is nobody's business. */
  isGivenUp: boolean
  /** Everything that was begun on the file; never rejects. */
  work: Promise<unknown>
}

export interface StripeWriterOptions {
  readonly blobId: string
  readonly shape: StripeShape
  readonly code: ErasureCode
  /** By shard. */
  readonly members: readonly SetMember[]
  readonly path: string
  readonly directory: string
  readonly writeQuorum: number
  readonly buffers: StripeBuffers
  readonly clock: Clock
  /** Longer than this no drive is waited for: it is taken out. */
  readonly patienceMs: number
}

/**
 * Cuts a stream into stripes, codes them, and writes a shard to each drive that is not taken out. What a write leaves over of
 * its last page is the beginning of the next, so that all but the last are whole pages, which a drive takes past its cache.
 */
export class StripeWriter {
  readonly #options: StripeWriterOptions
  readonly #shards: OpenShard[]
  readonly #seeds: readonly bigint[]
  readonly #inFlight: Promise<void>[] = []
  #buffer: StripeBuffer | undefined
  /** Of the buffer: whole stripes in it, and bytes of the one being filled. */
  #stripes = 0
  #filled = 0
  #firstStripe = 0
  /** In each shard's region of the buffer: the file's position of the first byte, and where the frames begin and end. */
  #position = 0
  #framesAt = shardHeaderBytes
  #framesEnd = shardHeaderBytes

  constructor(options: StripeWriterOptions) {
    this.#options = options
    this.#shards = options.members.map((member, index) => ({
      index,
      member,
      path: options.path,
      file: undefined,
      failure: member.isWritable ? undefined : new DriveError(member.condition.kind === 'full' ? 'Full' : 'Io', 'the drive is taken out'),
      isGivenUp: false,
      work: Promise.resolve(),
    }))
    this.#seeds = options.members.map((_, shard) => shardSeed(options.blobId, shard))
  }

  /** Shards that are not written, for the healer. */
  get missing(): number[] {
    return this.#shards.filter(({ failure }) => failure !== undefined).map(({ index }) => index)
  }

  async open(): Promise<void> {
    this.#requireQuorum()
    await this.#eachShard(async (shard) => {
      shard.file = await shard.member.drive.create(shard.path)
    })
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength; ) {
      taken += this.#fill(chunk, taken)
      if (this.#filled < this.#stripeBytes) continue
      this.#seal(this.#options.shape.blockBytes)
      if (this.#stripes === stripesAtOnce) await this.#flush(undefined)
    }
  }

  /** Everything is on stable storage when this resolves, on as many drives as the quorum asks and all that are not taken out. */
  async finish(): Promise<number> {
    const { directory } = this.#options
    const sizeBytes = (this.#firstStripe + this.#stripes) * this.#stripeBytes + this.#filled
    if (this.#filled > 0) this.#seal(this.#spread())
    await this.#flush(sizeBytes)
    await Promise.all(this.#inFlight.splice(0))
    await this.#eachShard(async ({ file, member }) => {
      await allDone([file?.sync() ?? Promise.resolve(), member.directorySyncs.sync(directory)])
    })
    return sizeBytes
  }

  /**
   * Closes the files; `remove`: they are of no use. No failure matters any more, and a drive that was given up is not waited
   * for again. Otherwise a shard that failed is spoilt through its own file, however late that is: under its name there may be
   * the healer's by then.
   */
  async release(remove: boolean): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    if (this.#buffer !== undefined) this.#options.buffers.giveBack(this.#buffer)
    this.#buffer = undefined
    const waited = this.#shards.filter(({ isGivenUp }) => !isGivenUp)
    for (const shard of this.#shards) if (shard.isGivenUp) this.#close(shard, remove).catch(() => undefined)
    await this.#patiently(Promise.allSettled(waited.map((shard) => this.#close(shard, remove))), () => {})
  }

  async #close(shard: OpenShard, remove: boolean): Promise<void> {
    // Not before: the descriptor of a closed file may be another's while a write to it is still under way.
    await shard.work
    if (shard.file === undefined) return
    if (!remove && shard.failure !== undefined) await shard.file.write(Buffer.alloc(shardHeaderBytes), 0).catch(() => undefined)
    await shard.file.close()
    if (remove) await shard.member.drive.remove(shard.path)
  }

  get #stripeBytes(): number {
    return this.#options.shape.dataShards * this.#options.shape.blockBytes
  }

  get #live(): OpenShard[] {
    return this.#shards.filter(({ failure }) => failure === undefined)
  }

  /** Where a block of the stripe being filled is. */
  #blockAt(buffer: StripeBuffer, shard: number): number {
    const { blockBytes } = this.#options.shape
    return buffer.start + shard * regionBytes(blockBytes) + this.#framesAt + this.#stripes * (hashBytes + blockBytes) + hashBytes
  }

  #fill(chunk: Uint8Array, start: number): number {
    const { blockBytes } = this.#options.shape
    this.#buffer ??= this.#options.buffers.take()
    const shard = Math.floor(this.#filled / blockBytes)
    const inBlock = this.#filled % blockBytes
    const count = Math.min(chunk.byteLength - start, blockBytes - inBlock)
    this.#buffer.arena.bytes.set(chunk.subarray(start, start + count), this.#blockAt(this.#buffer, shard) + inBlock)
    this.#filled += count
    return count
  }

  /** The last stripe is rarely full: its bytes are spread evenly over shorter blocks. Their length. */
  #spread(): number {
    const { dataShards, blockBytes } = this.#options.shape
    const shorter = Math.ceil(this.#filled / dataShards)
    if (this.#buffer === undefined || shorter === blockBytes) return blockBytes
    const { bytes } = this.#buffer.arena
    const content = Buffer.alloc(shorter * dataShards)
    for (let taken = 0; taken < this.#filled; taken += blockBytes) {
      const at = this.#blockAt(this.#buffer, taken / blockBytes)
      bytes.copy(content, taken, at, at + Math.min(blockBytes, this.#filled - taken))
    }
    for (let shard = 0; shard < dataShards; shard++) content.copy(bytes, this.#blockAt(this.#buffer, shard), shard * shorter, (shard + 1) * shorter)
    return shorter
  }

  /** Codes the stripe and hashes its blocks. */
  #seal(bytes: number): void {
    const buffer = this.#buffer
    assert(buffer !== undefined, 'a stripe lies in a buffer')
    const { code } = this.#options
    const addresses = this.#shards.map(({ index }) => this.#blockAt(buffer, index))
    const [data, parity] = [addresses.slice(0, code.dataShards), addresses.slice(code.dataShards)]
    if (parity.length > 0) buffer.arena.multiply(code.parity, data, parity, bytes)
    for (const [shard, address] of addresses.entries()) {
      const block = buffer.arena.bytes.subarray(address, address + bytes)
      const hash = shardBlockHash(this.#seeds[shard] ?? 0n, this.#firstStripe + this.#stripes, block)
      buffer.arena.bytes.writeBigUInt64LE(hash, address - hashBytes)
    }
    this.#framesEnd = this.#framesAt + this.#stripes * (hashBytes + this.#options.shape.blockBytes) + hashBytes + bytes
    this.#stripes++
    this.#filled = 0
  }

  /** Hands the buffer's stripes to the drives; with the blob's size they are the last. Waits while too many are on their way. */
  async #flush(sizeBytes: number | undefined): Promise<void> {
    const { blobId, shape, buffers } = this.#options
    // A shard's footer says that all before it was written.
    if (sizeBytes !== undefined) await Promise.all(this.#inFlight.splice(0))
    const buffer = this.#buffer ?? buffers.take()
    const regions = this.#shards.map(({ index }) => regionOf(buffer, index, shape.blockBytes))
    if (this.#firstStripe === 0) for (const [shard, region] of regions.entries()) encodeShardHeader(region, { ...shape, blobId, shard })
    if (sizeBytes !== undefined) for (const [shard, region] of regions.entries()) encodeShardFooter(region.subarray(this.#framesEnd), blobId, shard, sizeBytes)
    const end = this.#framesEnd + (sizeBytes === undefined ? 0 : shardFooterBytes)
    const written = sizeBytes === undefined && end >= pageBytes ? end - (end % pageBytes) : end
    const isScarce = buffers.areScarce
    // Before the buffer is given back: the writes may be over when the next one begins.
    const kept = regions.map((region) => region.subarray(written, end)).map((bytes) => (isScarce ? Buffer.from(bytes) : bytes))
    this.#buffer = undefined
    const writing = this.#send(buffer, regions.map((region) => region.subarray(0, written)), this.#position)
    writing.catch(() => undefined)
    this.#inFlight.push(writing)
    this.#position += written
    this.#firstStripe += this.#stripes
    this.#stripes = 0
    if (isScarce) await Promise.all(this.#inFlight.splice(0))
    if (sizeBytes === undefined) this.#begin(kept)
    while (this.#inFlight.length >= groupsInFlight) await this.#inFlight.shift()
  }

  /** The next buffer: what is kept of each shard, and frames behind it. */
  #begin(kept: readonly Buffer[]): void {
    const buffer = this.#options.buffers.take()
    for (const [shard, bytes] of kept.entries()) bytes.copy(regionOf(buffer, shard, this.#options.shape.blockBytes))
    this.#buffer = buffer
    this.#framesAt = kept[0]?.length ?? 0
    this.#framesEnd = this.#framesAt
  }

  async #send(buffer: StripeBuffer, pieces: readonly Buffer[], position: number): Promise<void> {
    const { buffers } = this.#options
    // A drive that is not waited for any more may still read the buffer: it is given back when the last one is done.
    let writing = 1
    const done = (): void => {
      if (--writing === 0) buffers.giveBack(buffer)
    }
    try {
      await this.#eachShard(async ({ index, file }) => {
        const piece = pieces[index]
        if (piece === undefined || file === undefined) return
        writing++
        await file.write(piece, position).finally(done)
      })
    } finally {
      done()
    }
  }

  /** Does it on every shard that is written; one that fails or takes too long is given up. Throws below the quorum. */
  async #eachShard(work: (shard: OpenShard) => Promise<void>): Promise<void> {
    const unfinished = new Set<OpenShard>()
    const all = Promise.all(this.#live.map(async (shard) => {
      unfinished.add(shard)
      const step = work(shard).catch((error: unknown) => {
        shard.failure ??= error
        shard.member.noteWriteFailure(error)
      })
      shard.work = Promise.all([shard.work, step])
      await step
      unfinished.delete(shard)
    }))
    await this.#patiently(all, () => {
      for (const shard of unfinished) {
        shard.failure ??= new DriveError('Io', 'the drive is too slow')
        shard.isGivenUp = true
        shard.member.takeOut('slow', `it did not finish within ${this.#options.patienceMs} ms`)
      }
    })
    this.#requireQuorum()
  }

  async #patiently(work: Promise<unknown>, giveUp: () => void): Promise<void> {
    const { clock, patienceMs } = this.#options
    const finished = new AbortController()
    await Promise.race([
      work.finally(() => finished.abort('finished')),
      clock.sleep(patienceMs, finished.signal).then(() => {
        if (!finished.signal.aborted) giveUp()
      }),
    ])
  }

  #requireQuorum(): void {
    const live = this.#live.length
    if (live >= this.#options.writeQuorum) return
    const failed = this.#shards.filter(({ failure }) => failure !== undefined)
    const isFull = failed.some(({ failure }) => failure instanceof DriveError && failure.code === 'Full')
    const names = failed.map(({ member }) => member.label).join(', ')
    throw new BlobError(isFull ? 'Full' : 'Unwritable', `${live} drives can be written and ${this.#options.writeQuorum} are needed; these cannot: ${names}`)
  }
}

function regionOf({ arena, start }: StripeBuffer, shard: number, blockBytes: number): Buffer {
  const at = start + shard * regionBytes(blockBytes)
  return arena.bytes.subarray(at, at + regionBytes(blockBytes))
}

/** All of them, even when one fails: no operation goes on behind the caller's back. */
async function allDone(operations: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(operations)
  await Promise.all(operations)
}

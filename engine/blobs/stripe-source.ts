import { assert, must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { DriveError, type DriveFile } from '../drives/drive.ts'
import type { SetMember } from '../drives/set-member.ts'
import type { ErasureCode } from '../erasure/erasure-code.ts'
import { hashBytes } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import { codingStepBytes, GroupLayout } from './group-layout.ts'
import { HedgeTimer } from './hedge-timer.ts'
import { shardBlockHash, shardFramePosition, shardSeed, stripeBlockBytes, type StripeShape } from './shard-layout.ts'
import type { StripeBuffer, StripeBuffers } from './stripe-buffers.ts'

/** Consecutive stripes that are read together, at most `stripesAtOnce`. */
export interface StripeGroup {
  readonly first: number
  readonly count: number
}

/** What is wrong with a shard: `absent` when its drive cannot be read, so that nobody knows. */
export type ShardFault = 'missing' | 'corrupt' | 'absent'

export interface StripeSourceOptions {
  readonly blobId: string
  readonly sizeBytes: number
  readonly shape: StripeShape
  readonly code: ErasureCode
  /** By shard. */
  readonly members: readonly SetMember[]
  readonly path: string
  /** For as many shards as there are members. */
  readonly buffers: StripeBuffers
  readonly clock: Clock
  /** When a read takes longer, another shard is read in its place; whatever comes first is used. */
  readonly hedgeAfterMs: number
  /** False for the mutation check only. */
  readonly isVerifying?: boolean
  /** Told once for each shard. */
  readonly onFault: (shard: number, fault: ShardFault) => void
  /** Looks at the drives once more, before a read fails: one of them may be back, or have gone unnoticed. */
  readonly lookAgain?: () => Promise<void>
}

export interface StripeBlocks {
  /** By shard, each for every stripe of the group. */
  readonly blocks: ReadonlyMap<number, readonly Buffer[]>
  /** To be called once: the blocks are used no more, and their memory is filled again, unless somebody keeps them. */
  readonly release: (areKept?: boolean) => void
}

/** By stripe of the group; undefined where the shard has no good block. */
type Blocks = readonly (Buffer | undefined)[]

interface GroupReads {
  readonly group: StripeGroup
  /** How long the blocks of each stripe are. */
  readonly lengths: readonly number[]
  /** A place for each block (`GroupLayout`): a late read may still fill its own. */
  readonly buffer: StripeBuffer
  readonly found: Map<number, Blocks>
  readonly pending: Map<number, Promise<void>>
  /** Pending ones that are not counted on any more. */
  readonly late: Set<number>
  /** Called when there is something to be decided. */
  wake: () => void
}

/** A drive whose reads usually take so much longer than those of the fastest is asked last. */
const slowFactor = 8
const slowFloorMs = 20

/** Reads blocks of one blob, verified, and computes those that are missing from the others. */
export class StripeSource {
  /** By shard, once something was found wrong. */
  readonly faults = new Map<number, ShardFault>()
  readonly #options: StripeSourceOptions
  readonly #seeds: readonly bigint[]
  readonly #layout: GroupLayout
  readonly #hedge: HedgeTimer
  readonly #files = new Map<number, Promise<DriveFile>>()
  readonly #reads = new Set<Promise<unknown>>()
  #hasLookedAgain = false

  constructor(options: StripeSourceOptions) {
    this.#options = options
    this.#seeds = options.members.map((_, shard) => shardSeed(options.blobId, shard))
    this.#layout = new GroupLayout(options.shape)
    this.#hedge = new HedgeTimer(options.clock, options.hedgeAfterMs)
  }

  /** The blocks of the wanted shards. Throws `NotFound`, `Unreadable`, `Corrupt`. */
  async read(group: StripeGroup, wanted: readonly number[]): Promise<StripeBlocks> {
    const { buffers, sizeBytes, shape } = this.#options
    const lengths = Array.from({ length: group.count }, (_, index) => stripeBlockBytes(group.first + index, sizeBytes, shape))
    const reads: GroupReads = { group, lengths, buffer: buffers.take(), found: new Map(), pending: new Map(), late: new Set(), wake: () => {} }
    const release = (areKept = false): void => {
      if (areKept) buffers.leave(reads.buffer)
      else if (reads.pending.size === 0) buffers.giveBack(reads.buffer)
      else void Promise.all(reads.pending.values()).then(() => buffers.giveBack(reads.buffer))
    }
    try {
      return { blocks: await this.#blocks(reads, wanted), release }
    } catch (error) {
      release()
      throw error
    }
  }

  async #blocks(reads: GroupReads, wanted: readonly number[]): Promise<ReadonlyMap<number, readonly Buffer[]>> {
    const good = this.#goodShards()
    for (const shard of wanted) if (good.has(shard)) this.#start(reads, shard)
    for (;;) {
      const lacking = this.#lacking(reads, wanted)
      if (lacking === 0 && this.#isComplete(reads, wanted)) return this.#completed(reads, wanted)
      const more = lacking === 0 ? [] : this.#untried(reads).slice(0, lacking)
      for (const shard of more) this.#start(reads, shard)
      if (reads.pending.size === 0) {
        if (this.#hasLookedAgain) throw this.#failure()
        await this.#lookAgain(reads)
        continue
      }
      await this.#somethingToDecide(reads, more.length < lacking)
    }
  }

  /** Others need the memory of groups that are read ahead. */
  get isMemoryScarce(): boolean {
    return this.#options.buffers.areScarce
  }

  /** No read is under way any more, and all files are closed, when this resolves. */
  async close(): Promise<void> {
    this.#hedge.close()
    await Promise.allSettled(this.#reads)
    await Promise.allSettled([...this.#files.values()].map(async (file) => (await file).close()))
  }

  // ---- which shards

  /** How many more reads are needed, should all that are under way and on time succeed. */
  #lacking({ group, found, pending, late }: GroupReads, wanted: readonly number[]): number {
    const underWay = [...pending.keys()].filter((shard) => !late.has(shard))
    let lacking = 0
    for (let stripe = 0; stripe < group.count; stripe++) {
      const good = [...found].filter(([, blocks]) => blocks[stripe] !== undefined).map(([shard]) => shard)
      const expected = new Set([...good, ...underWay])
      if (wanted.every((shard) => expected.has(shard))) continue
      lacking = Math.max(lacking, this.#options.code.dataShards - expected.size)
    }
    return lacking
  }

  /** What was away, for whatever moment, is tried once more. */
  async #lookAgain({ found }: GroupReads): Promise<void> {
    this.#hasLookedAgain = true
    await this.#options.lookAgain?.()
    for (const [shard, fault] of this.faults) {
      if (fault !== 'absent') continue
      this.faults.delete(shard)
      this.#files.delete(shard)
      found.delete(shard)
    }
  }

  #isComplete({ group, found }: GroupReads, wanted: readonly number[]): boolean {
    for (let stripe = 0; stripe < group.count; stripe++) {
      const isGood = (shard: number): boolean => found.get(shard)?.[stripe] !== undefined
      if (!wanted.every(isGood) && [...found.keys()].filter(isGood).length < this.#options.code.dataShards) return false
    }
    return true
  }

  /** Shards that may still be read, the most promising first. */
  #untried({ found, pending }: GroupReads): number[] {
    const untried = this.#options.members.flatMap((_, shard) => (found.has(shard) || pending.has(shard) ? [] : [shard]))
    const good = this.#goodShards()
    const rank = (shard: number): number => (good.has(shard) ? 0 : 1)
    return untried.filter((shard) => this.#options.members[shard]?.isReadable === true && this.faults.get(shard) !== 'missing').toSorted((a, b) => rank(a) - rank(b))
  }

  /** Those that nothing is known against. */
  #goodShards(): Set<number> {
    const { members } = this.#options
    let fastestMs = Infinity
    for (const { isReadable, usualReadMs } of members) if (isReadable && usualReadMs < fastestMs) fastestMs = usualReadMs
    const slowMs = Math.max(slowFloorMs, slowFactor * fastestMs)
    const good = new Set<number>()
    for (const [shard, { isReadable, usualReadMs }] of members.entries()) if (isReadable && usualReadMs <= slowMs && !this.faults.has(shard)) good.add(shard)
    return good
  }

  // ---- reads

  #start(reads: GroupReads, shard: number): void {
    const reading = this.#readShard(reads, shard).then((blocks) => {
      reads.found.set(shard, blocks)
      reads.pending.delete(shard)
      this.#reads.delete(reading)
      // While all goes well there is nothing to decide before the last one.
      if (reads.pending.size === 0 || reads.late.size > 0 || blocks.length === 0 || blocks.includes(undefined)) reads.wake()
    })
    reads.pending.set(shard, reading)
    this.#reads.add(reading)
  }

  /** Waits until all reads have ended, or one without what it was for; when that takes long, and there are others to ask, those under way are late. */
  async #somethingToDecide(reads: GroupReads, isLast: boolean): Promise<void> {
    const { pending, late } = reads
    const decided = new Promise<void>((resolve) => {
      reads.wake = resolve
    })
    if (isLast || [...pending.keys()].every((shard) => late.has(shard))) return decided
    const wait = this.#hedge.begin(() => {
      for (const shard of pending.keys()) late.add(shard)
      reads.wake()
    })
    await decided
    wait.end()
  }

  /** Never rejects: what is wrong is noted. */
  async #readShard(reads: GroupReads, shard: number): Promise<Blocks> {
    const member = this.#options.members[shard]
    assert(member !== undefined, 'a member for each shard')
    try {
      const startedMs = this.#options.clock.monotonicMs()
      const file = await this.#open(shard, member)
      const blocks = await this.#readBlocks(file, reads, shard)
      member.noteRead(this.#options.clock.monotonicMs() - startedMs)
      if (blocks.includes(undefined)) this.#note(shard, 'corrupt')
      return blocks
    } catch (error) {
      if (error instanceof DriveError && error.code === 'NotFound') this.#note(shard, 'missing')
      else {
        member.noteReadFailure(error)
        this.#note(shard, 'absent')
      }
      return []
    }
  }

  #open(shard: number, member: SetMember): Promise<DriveFile> {
    const opened = this.#files.get(shard) ?? member.drive.open(this.#options.path)
    this.#files.set(shard, opened)
    opened.catch(() => undefined)
    return opened
  }

  async #readBlocks(file: DriveFile, { group: { first }, lengths, buffer }: GroupReads, shard: number): Promise<Blocks> {
    const { shape, isVerifying = true } = this.#options
    const frames = lengths.map((length, stripe) => ({
      hash: bytesOf(buffer, this.#layout.hashAt(shard, stripe), hashBytes),
      block: bytesOf(buffer, this.#layout.blockAt(shard, stripe, length), length),
    }))
    const read = await file.readInto(frames.flatMap(({ hash, block }) => [hash, block]), shardFramePosition(first, shape.blockBytes))
    let at = 0
    return frames.map(({ hash, block }, stripe) => {
      at += hashBytes + block.length
      if (at > read) return undefined
      return !isVerifying || shardBlockHash(this.#seeds[shard] ?? 0n, first + stripe, block) === hash.readBigUInt64LE() ? block : undefined
    })
  }

  #note(shard: number, fault: ShardFault): void {
    if (this.faults.has(shard)) return
    this.faults.set(shard, fault)
    this.#options.onFault(shard, fault)
  }

  #failure(): BlobError {
    const { blobId, members, code } = this.#options
    // A drive that has gone takes its files along: that they are missing says nothing.
    const faults = members.map((member, shard) => (member.isReadable ? this.faults.get(shard) : 'absent'))
    const count = (fault: ShardFault): number => faults.filter((found) => found === fault).length
    const text = `blob ${blobId}: of ${members.length} shards ${code.dataShards} are needed, and ${count('missing')} are missing, ${count('corrupt')} corrupt, ${count('absent')} on drives that cannot be read`
    if (count('missing') > code.parityShards && count('corrupt') === 0) return new BlobError('NotFound', text)
    return new BlobError(count('missing') + count('corrupt') > code.parityShards ? 'Corrupt' : 'Unreadable', text)
  }

  // ---- blocks

  #completed(reads: GroupReads, wanted: readonly number[]): Map<number, Buffer[]> {
    const { group, found } = reads
    const result = new Map<number, Buffer[]>(wanted.map((shard) => [shard, []]))
    for (let index = 0; index < group.count; index++) {
      const missing = wanted.filter((shard) => found.get(shard)?.[index] === undefined)
      const computed = missing.length === 0 ? [] : this.#compute(reads, index, missing)
      for (const shard of wanted) {
        const block = found.get(shard)?.[index] ?? computed[missing.indexOf(shard)]
        assert(block !== undefined, 'a complete group has every block')
        result.get(shard)?.push(block)
      }
    }
    return result
  }

  /** From where the sources were read to, each into its own place, unless a late read may still fill that. */
  #compute({ lengths, found, pending, buffer }: GroupReads, stripe: number, missing: readonly number[]): Buffer[] {
    const { code } = this.#options
    const bytes = must(lengths[stripe], 'a stripe of the group')
    const sources = [...found].filter(([, blocks]) => blocks[stripe] !== undefined).map(([shard]) => shard).toSorted((a, b) => a - b).slice(0, code.dataShards)
    const placeOf = (shard: number): number => this.#layout.blockAt(shard, stripe, bytes)
    const isWhole = bytes % codingStepBytes === 0
    const outputs = missing.map((shard, at) => (isWhole && !pending.has(shard) ? placeOf(shard) : this.#layout.computedAt(at, stripe)))
    buffer.arena.multiply(code.reconstruction(sources, missing), sources.map((shard) => buffer.start + placeOf(shard)), outputs.map((at) => buffer.start + at), bytes)
    return outputs.map((at) => bytesOf(buffer, at, bytes))
  }
}

function bytesOf({ arena, start }: StripeBuffer, at: number, length: number): Buffer {
  return arena.bytes.subarray(start + at, start + at + length)
}

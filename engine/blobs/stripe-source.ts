import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { DriveError, type DriveFile } from '../drives/drive.ts'
import type { SetMember } from '../drives/set-member.ts'
import type { ErasureCode } from '../erasure/erasure-code.ts'
import { ErasureArena, slackBytes } from '../erasure/kernel.ts'
import { hashBytes } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import { shardBlockHash, shardFramePosition, shardSeed, stripeBlockBytes, type StripeShape } from './shard-layout.ts'

/** Consecutive stripes that are read together. */
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

/** By stripe of the group; undefined where the shard has no good block. */
type Blocks = readonly (Buffer | undefined)[]

interface GroupReads {
  readonly group: StripeGroup
  readonly found: Map<number, Blocks>
  readonly pending: Map<number, Promise<void>>
  /** Pending ones that are not counted on any more. */
  readonly late: Set<number>
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
  readonly #files = new Map<number, Promise<DriveFile>>()
  readonly #reads = new Set<Promise<unknown>>()
  #hasLookedAgain = false

  constructor(options: StripeSourceOptions) {
    this.#options = options
    this.#seeds = options.members.map((_, shard) => shardSeed(options.blobId, shard))
  }

  /** The blocks of the wanted shards: by shard, each for every stripe of the group. Throws `NotFound`, `Unreadable`, `Corrupt`. */
  async read(group: StripeGroup, wanted: readonly number[]): Promise<ReadonlyMap<number, readonly Buffer[]>> {
    const reads: GroupReads = { group, found: new Map(), pending: new Map(), late: new Set() }
    for (const shard of wanted) if (this.#isGood(shard)) this.#start(reads, shard)
    for (;;) {
      const lacking = this.#lacking(reads, wanted)
      if (lacking === 0 && this.#isComplete(reads, wanted)) return this.#completed(reads, wanted)
      const more = this.#untried(reads).slice(0, lacking)
      for (const shard of more) this.#start(reads, shard)
      if (reads.pending.size === 0) {
        if (this.#hasLookedAgain) throw this.#failure()
        await this.#lookAgain(reads)
        continue
      }
      await this.#nextRead(reads, more.length < lacking)
    }
  }

  /** No read is under way any more, and all files are closed, when this resolves. */
  async close(): Promise<void> {
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
    const rank = (shard: number): number => (this.#isGood(shard) ? 0 : this.#options.members[shard]?.isReadable === true ? 1 : 2)
    return untried.filter((shard) => this.#options.members[shard]?.isReadable === true && this.faults.get(shard) !== 'missing').toSorted((a, b) => rank(a) - rank(b))
  }

  #isGood(shard: number): boolean {
    const member = this.#options.members[shard]
    if (member === undefined || !member.isReadable || this.faults.has(shard)) return false
    const fastestMs = Math.min(...this.#options.members.filter(({ isReadable }) => isReadable).map(({ usualReadMs }) => usualReadMs))
    return member.usualReadMs <= Math.max(slowFloorMs, slowFactor * fastestMs)
  }

  // ---- reads

  #start(reads: GroupReads, shard: number): void {
    const reading = this.#readShard(reads.group, shard).then((blocks) => {
      reads.found.set(shard, blocks)
      reads.pending.delete(shard)
    })
    reads.pending.set(shard, reading)
    this.#reads.add(reading)
    void reading.then(() => this.#reads.delete(reading))
  }

  /** Waits for a read to end; when that takes long, and there are others to ask, those under way are late. */
  async #nextRead({ pending, late }: GroupReads, isLast: boolean): Promise<void> {
    const { clock, hedgeAfterMs } = this.#options
    const next = Promise.race(pending.values())
    if (isLast || [...pending.keys()].every((shard) => late.has(shard))) return next
    const arrived = new AbortController()
    await Promise.race([
      next.finally(() => arrived.abort()),
      clock.sleep(hedgeAfterMs, arrived.signal).then(() => {
        if (!arrived.signal.aborted) for (const shard of pending.keys()) late.add(shard)
      }),
    ])
  }

  /** Never rejects: what is wrong is noted. */
  async #readShard(group: StripeGroup, shard: number): Promise<Blocks> {
    const member = this.#options.members[shard]
    assert(member !== undefined, 'a member for each shard')
    try {
      const startedMs = this.#options.clock.monotonicMs()
      const file = await this.#open(shard, member)
      const blocks = await this.#readBlocks(file, group, shard)
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

  async #readBlocks(file: DriveFile, { first, count }: StripeGroup, shard: number): Promise<Blocks> {
    const { shape, sizeBytes, isVerifying = true } = this.#options
    const lengths = Array.from({ length: count }, (_, index) => stripeBlockBytes(first + index, sizeBytes, shape))
    const bytes = lengths.reduce((sum, length) => sum + hashBytes + length, 0)
    const buffer = Buffer.allocUnsafeSlow(bytes)
    const read = await file.read(buffer, shardFramePosition(first, shape.blockBytes))
    let at = 0
    return lengths.map((length, index) => {
      const hashAt = at
      at += hashBytes + length
      if (at > read) return undefined
      const block = buffer.subarray(hashAt + hashBytes, at)
      return !isVerifying || shardBlockHash(this.#seeds[shard] ?? 0n, first + index, block) === buffer.readBigUInt64LE(hashAt) ? block : undefined
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

  #completed({ group, found }: GroupReads, wanted: readonly number[]): Map<number, Buffer[]> {
    const result = new Map<number, Buffer[]>(wanted.map((shard) => [shard, []]))
    for (let index = 0; index < group.count; index++) {
      const missing = wanted.filter((shard) => found.get(shard)?.[index] === undefined)
      const computed = missing.length === 0 ? new Map<number, Buffer>() : this.#compute(group.first + index, index, found, missing)
      for (const shard of wanted) {
        const block = found.get(shard)?.[index] ?? computed.get(shard)
        assert(block !== undefined, 'a complete group has every block')
        result.get(shard)?.push(block)
      }
    }
    return result
  }

  #compute(stripe: number, index: number, found: ReadonlyMap<number, Blocks>, missing: readonly number[]): Map<number, Buffer> {
    const { code, sizeBytes, shape } = this.#options
    const bytes = stripeBlockBytes(stripe, sizeBytes, shape)
    const sources = [...found].filter(([, blocks]) => blocks[index] !== undefined).map(([shard]) => shard).toSorted((a, b) => a - b).slice(0, code.dataShards)
    const { bytes: memory, address, arena } = workbench(shape)
    for (const [at, shard] of sources.entries()) memory.set(found.get(shard)?.[index] ?? Buffer.of(), address(at))
    const outputs = missing.map((_, at) => address(sources.length + at))
    arena.multiply(code.reconstruction(sources, missing), sources.map((_, at) => address(at)), outputs, bytes)
    return new Map(missing.map((shard, at) => [shard, Buffer.from(memory.subarray(outputs[at] ?? 0, (outputs[at] ?? 0) + bytes))]))
  }
}

const arenas = new Map<number, ErasureArena>()

/** Memory for one reconstruction at a time, which nothing interrupts: of one stripe for the process. */
function workbench({ blockBytes }: StripeShape) {
  const stride = blockBytes + slackBytes + 1
  const arena = arenas.get(blockBytes) ?? new ErasureArena(32 * stride)
  arenas.set(blockBytes, arena)
  return { arena, bytes: arena.bytes, address: (index: number) => index * stride }
}

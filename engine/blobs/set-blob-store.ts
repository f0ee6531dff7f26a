import { assert, must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { ulid, ulidPattern, ulidTimeMs } from '../../base/ulid.ts'
import { secondMs } from '../../base/units.ts'
import { DriveError } from '../drives/drive.ts'
import { type DriveSet, parityOf, writeQuorum } from '../drives/drive-set.ts'
import { chooseSet, freeBytesOf, type SetIntake } from '../drives/set-intake.ts'
import type { SetMember } from '../drives/set-member.ts'
import { erasureCode } from '../erasure/erasure-code.ts'
import { blobDirectories, directoryOf } from './block-layout.ts'
import { BlobError } from './blob-store.ts'
import type { BlobLayout, BlobRef, BlobStore, Redundancy, StoredBlob } from './blob-store.ts'
import { joined } from './group-layout.ts'
import { stripeCount, stripeSlices } from './shard-layout.ts'
import { positionOfShard } from './shard-placement.ts'
import { newBlockBytes, stripeBuffers, stripesAtOnce } from './stripe-buffers.ts'
import { type ShardFault, type StripeGroup, StripeSource } from './stripe-source.ts'
import { StripeWriter } from './stripe-writer.ts'

export interface SetBlobOptions {
  readonly sets: readonly DriveSet[]
  readonly intake?: SetIntake
  /** The blobs of the first set where that is a lone drive: they are whole there. */
  readonly whole?: BlobStore
  readonly clock: Clock
  readonly random: Random
  /** Of shards to be written, in place of `newBlockBytes`; those that are there keep theirs. */
  readonly blockBytes?: number
  /** A drive that takes longer is taken out. */
  readonly patienceMs?: number
  /** A read that takes longer is made from another drive as well. */
  readonly hedgeAfterMs?: number
  /** A blob lacks a shard, or has a bad one. Called often; must be quick. */
  readonly onDamage?: (blobId: string, set: number, kind: 'missing' | 'corrupt') => void
  /** Looks at all drives at once, before a request fails because too few can be used. Never rejects. */
  readonly lookAgain?: () => Promise<void>
  /** For the mutation check only: what is acknowledged with fewer drives than it should be, or read without being verified. */
  readonly mutation?: 'smallQuorum' | 'skippedVerify'
}

const defaultPatienceMs = 30 * secondMs
const defaultHedgeAfterMs = 250
/** Groups of stripes of one read that are under way or wait for the consumer. */
const groupsAhead = 2

/** The bytes of a group that a range covers, in their order, and what gives their memory back. */
interface GroupPieces {
  readonly pieces: readonly Buffer[]
  readonly release: (areKept?: boolean) => void
}

type StripeLayout = Extract<BlobLayout, { readonly kind: 'stripes' }>

/**
 * BlobStore over sets of drives: a blob is coded into a shard for each drive of one set, and outlives the loss of as many
 * as there are parities. A write resolves once every drive that is not taken out holds its shard durably, and these are a
 * write quorum; a shard that is missing then is told to `onDamage`.
 */
export class SetBlobStore implements BlobStore {
  readonly #options: SetBlobOptions
  readonly #sets: readonly DriveSet[]
  readonly #clock: Clock

  constructor(options: SetBlobOptions) {
    this.#options = options
    this.#sets = options.sets
    this.#clock = options.clock
  }

  async write(source: AsyncIterable<Uint8Array>, redundancy: Redundancy = 'standard'): Promise<BlobRef> {
    return this.#writeTo(await this.#setFor(redundancy), source, redundancy)
  }

  /** The blob's bytes, each block of them verified, as a blob of another set, as redundant there as it was. */
  copyTo(ref: BlobRef, set: number): Promise<BlobRef> {
    const { layout, sizeBytes } = ref
    const isReduced = layout.kind === 'stripes' && layout.parityShards < parityOf(must(this.#sets[layout.set], 'the set of the blob'), 'standard')
    return this.#writeTo(must(this.#sets[set], 'a set of the deployment'), this.read(ref, { offset: 0, length: sizeBytes }), isReduced ? 'reduced' : 'standard')
  }

  async #writeTo(set: DriveSet, source: AsyncIterable<Uint8Array>, redundancy: Redundancy): Promise<BlobRef> {
    const { clock, random, whole, patienceMs = defaultPatienceMs, blockBytes = newBlockBytes(set.members.length) } = this.#options
    if (set.members.length === 1 && whole !== undefined) return whole.write(source)
    const blobId = ulid(clock, random)
    const parityShards = parityOf(set, redundancy)
    const dataShards = set.members.length - parityShards
    const shape = { dataShards, parityShards, blockBytes }
    const writer = new StripeWriter({
      blobId, shape, clock, patienceMs,
      code: erasureCode(dataShards, parityShards),
      members: membersByShard(set, blobId),
      path: pathOf(blobId),
      directory: directoryOf(blobId),
      writeQuorum: writeQuorum(dataShards, parityShards) - (this.#options.mutation === 'smallQuorum' ? 2 : 0),
      buffers: stripeBuffers(set.members.length, blockBytes),
    })
    let stored = false
    try {
      await writer.open()
      for await (const chunk of source) await writer.write(chunk)
      const sizeBytes = await writer.finish()
      stored = true
      if (writer.missing.length > 0) this.#options.onDamage?.(blobId, set.index, 'missing')
      return { blobId, sizeBytes, layout: { kind: 'stripes', set: set.index, ...shape } }
    } finally {
      await writer.release(!stored)
    }
  }

  async *read(ref: BlobRef, range: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer, void, unknown> {
    assert(range.offset >= 0 && range.length >= 0 && range.offset + range.length <= ref.sizeBytes, 'the range lies within the blob')
    if (range.length === 0) return
    if (ref.layout.kind === 'blocks' && this.#options.whole !== undefined) return yield* this.#options.whole.read(ref, range)
    const layout = stripesOf(ref)
    const source = this.openSource(ref, layout)
    const groups = groupsOf(range, ref.sizeBytes, layout)
    const isOneGroup = groups.length === 1
    const ahead: Promise<GroupPieces>[] = []
    const readAhead = (): void => {
      const group = groups.shift()
      if (group === undefined) return
      const reading = this.#readGroup(source, group, range, ref.sizeBytes, layout)
      // The consumer may never come to these blocks; their failure is then nobody's.
      reading.catch(() => undefined)
      ahead.push(reading)
    }
    try {
      for (;;) {
        while (groups.length > 0 && ahead.length < (source.isMemoryScarce ? 1 : groupsAhead)) readAhead()
        const read = await ahead.shift()
        if (read === undefined) return
        if (isOneGroup) {
          // In one piece it goes to its reader in one write.
          const bytes = Buffer.concat(read.pieces)
          read.release()
          yield bytes
          return
        }
        let isConsumed = false
        try {
          yield* read.pieces
          isConsumed = true
        } finally {
          // Who stops half-way may still be sending what it has.
          read.release(!isConsumed)
        }
      }
    } finally {
      for (const reading of ahead) void reading.then(({ release }) => release(), () => undefined)
      // A drive that hangs is not waited for: its file is closed when it comes back.
      void source.close()
    }
  }

  /** Not synced, and not made good on drives that are out: what comes back is garbage that `list` shows, and is collected again. */
  async delete(blobId: string): Promise<void> {
    const members = this.#sets.flatMap((set) => set.members).filter(({ isReadable }) => isReadable)
    const removals = await Promise.allSettled(members.map(({ drive }) => drive.remove(pathOf(blobId))))
    const failures = removals.flatMap((removal) => (removal.status === 'rejected' && !isNotFound(removal.reason) ? [removal.reason as unknown] : []))
    if (failures.length > 0 && failures.length === members.length) throw new BlobError('Io', `blob ${blobId} cannot be removed`, { cause: failures[0] })
  }

  async *list(): AsyncGenerator<StoredBlob, void, undefined> {
    for (const { index } of this.#sets) yield* this.listSet(index)
  }

  async *listSet(set: number): AsyncGenerator<StoredBlob, void, undefined> {
    for (const directory of blobDirectories) {
      for (const [blobId, holders] of await listShards(must(this.#sets[set], 'a set of the deployment'), directory)) {
        const sizes = await Promise.all(holders.map(({ drive }) => drive.sizeOf(pathOf(blobId)).catch(() => 0)))
        const storedBytes = sizes.reduce((sum, bytes) => sum + bytes, 0)
        yield { blobId, begunAtMs: ulidTimeMs(blobId), storedBytes }
      }
    }
  }

  /** The blob's shards, for the readers and the healer. */
  openSource(ref: BlobRef, layout: StripeLayout, onFault?: (shard: number, fault: ShardFault) => void): StripeSource {
    const { blobId, sizeBytes } = ref
    const set = must(this.#sets[layout.set], 'the set of the blob')
    return new StripeSource({
      blobId, sizeBytes,
      shape: layout,
      code: erasureCode(layout.dataShards, layout.parityShards),
      members: membersByShard(set, blobId),
      path: pathOf(blobId),
      buffers: stripeBuffers(set.members.length, layout.blockBytes),
      clock: this.#clock,
      hedgeAfterMs: this.#options.hedgeAfterMs ?? defaultHedgeAfterMs,
      ...(this.#options.lookAgain === undefined ? {} : { lookAgain: this.#options.lookAgain }),
      isVerifying: this.#options.mutation !== 'skippedVerify',
      onFault: onFault ?? ((_, fault) => {
        if (fault !== 'absent') this.#options.onDamage?.(blobId, set.index, fault)
      }),
    })
  }

  async #readGroup(source: StripeSource, group: StripeGroup, range: { readonly offset: number; readonly length: number }, sizeBytes: number, layout: StripeLayout): Promise<GroupPieces> {
    const slices = Array.from({ length: group.count }, (_, index) => stripeSlices(group.first + index, range, sizeBytes, layout))
    const wanted = [...new Set(slices.flat().map(({ shard }) => shard))]
    const { blocks, release } = await source.read(group, wanted)
    return { release, pieces: joined(slices.flatMap((stripe, index) => stripe.map(({ shard, start, end }) => must(blocks.get(shard)?.[index], 'a wanted block').subarray(start, end)))) }
  }

  /** Blobs go to any of the sets that can be written and that nothing is moved off, by their free space. */
  async #setFor(redundancy: Redundancy): Promise<DriveSet> {
    if (this.#ready(redundancy).length === 0) await this.#options.lookAgain?.()
    const ready = this.#ready(redundancy)
    const choices = ready.length > 0 ? ready : this.#open
    if (choices.length === 0) throw new BlobError('Unwritable', 'blobs are moved off every set of drives')
    const chance = choices.length === 1 ? 0 : Buffer.from(this.#options.random.bytes(4)).readUInt32BE() / 2 ** 32
    return must(chooseSet(choices.map((set) => ({ set, freeBytes: freeBytesOf(set) })), chance), 'one of several')
  }

  get #open(): DriveSet[] {
    return this.#sets.filter(({ index, members }) => members.length > 0 && this.#options.intake?.isAvoided(index) !== true)
  }

  #ready(redundancy: Redundancy): DriveSet[] {
    return this.#open.filter((set) => {
      const parityShards = parityOf(set, redundancy)
      return set.members.filter(({ isWritable }) => isWritable).length >= writeQuorum(set.members.length - parityShards, parityShards)
    })
  }
}

/** The drives of the blob's shards, in the order of the shards. */
export function membersByShard(set: DriveSet, blobId: string): SetMember[] {
  return set.members.map((_, shard) => must(set.members[positionOfShard(blobId, shard, set.members.length)], 'a drive for each shard'))
}

/** The blobs of a directory and the drives on which they have a file. Drives that cannot be listed are left out. */
export async function listShards(set: DriveSet, directory: string): Promise<Map<string, SetMember[]>> {
  const holders = new Map<string, SetMember[]>()
  await Promise.all(set.members.map(async (member) => {
    if (!member.isReadable) return
    const names = await member.drive.list(directory).catch((error: unknown) => {
      if (!isNotFound(error)) member.noteReadFailure(error)
      return []
    })
    for (const name of names) {
      if (!ulidPattern.test(name)) continue
      const known = holders.get(name)
      if (known === undefined) holders.set(name, [member])
      else known.push(member)
    }
  }))
  return holders
}

export function pathOf(blobId: string): string {
  return `${directoryOf(blobId)}/${blobId}`
}

function stripesOf({ blobId, layout }: BlobRef): StripeLayout {
  if (layout.kind !== 'stripes') throw new BlobError('NotFound', `blob ${blobId} is not one of a set of drives`)
  return layout
}

function groupsOf({ offset, length }: { readonly offset: number; readonly length: number }, sizeBytes: number, layout: StripeLayout): StripeGroup[] {
  const stripeBytes = layout.dataShards * layout.blockBytes
  const last = Math.min(Math.floor((offset + length - 1) / stripeBytes), stripeCount(sizeBytes, layout) - 1)
  const groups: StripeGroup[] = []
  for (let first = Math.floor(offset / stripeBytes); first <= last; first += stripesAtOnce) {
    groups.push({ first, count: Math.min(stripesAtOnce, last - first + 1) })
  }
  return groups
}

function isNotFound(error: unknown): boolean {
  return error instanceof DriveError && error.code === 'NotFound'
}

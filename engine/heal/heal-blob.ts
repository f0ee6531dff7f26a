import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { ulid } from '../../base/ulid.ts'
import { hourMs } from '../../base/units.ts'
import { directoryOf, hashBytes } from '../blobs/block-layout.ts'
import { BlobError } from '../blobs/blob-store.ts'
import { membersByShard, pathOf } from '../blobs/set-blob-store.ts'
import {
  decodeShardFooter, decodeShardHeader, encodeShardFooter, encodeShardHeader, shardBlockHash, shardFileBytes, shardFooterBytes, shardFooterPosition,
  shardFramePosition, type ShardHeader, shardHeaderBytes, shardSeed, stripeCount,
} from '../blobs/shard-layout.ts'
import { stripeBuffers, stripesAtOnce } from '../blobs/stripe-buffers.ts'
import { StripeSource } from '../blobs/stripe-source.ts'
import { DriveError, type DriveFile } from '../drives/drive.ts'
import type { DriveSet } from '../drives/drive-set.ts'
import type { SetMember } from '../drives/set-member.ts'
import { erasureCode } from '../erasure/erasure-code.ts'
import { planHeal, type ShardState } from './plan-heal.ts'

export interface HealBlobInput {
  readonly set: DriveSet
  readonly blobId: string
  /** Read every block of every shard. */
  readonly verify: boolean
  readonly clock: Clock
  readonly random: Random
  /** Awaited after every few stripes. */
  readonly rest?: () => Promise<void>
}

export interface HealedBlob {
  readonly outcome: 'whole' | 'healed' | 'waiting' | 'hopeless'
  /** Shards that were not good, by what they were. */
  readonly found: Readonly<Record<Exclude<ShardState, 'good'>, number>>
  /** Bytes of shards that were read and written. */
  readonly movedBytes: number
}

/** A healer has time: it reads no shard in place of a slow one. */
const neverMs = 24 * hourMs

interface Inspected {
  readonly state: ShardState
  readonly header?: ShardHeader
  readonly sizeBytes?: number
}

/**
 * Makes the shards that a blob lacks, on the drives that can be written. A new shard replaces a bad one by renaming, once it
 * is durable: what was good is never removed first, and a writer or healer at work on the same blob does no harm.
 */
export async function healBlob(input: HealBlobInput): Promise<HealedBlob> {
  const { set, blobId } = input
  const members = membersByShard(set, blobId)
  const inspected = await Promise.all(members.map((member, shard) => inspectShard(member, blobId, shard)))
  const model = inspected.find(({ header }) => header !== undefined)
  const states = inspected.map(({ state }) => state)
  if (model?.header === undefined || model.sizeBytes === undefined) return outcomeOf(states.includes('absent') ? 'waiting' : 'hopeless', states, 0)
  const shape = { blobId, sizeBytes: model.sizeBytes, ...shapeOf(model.header) }
  const plan = (isRead: boolean): ReturnType<typeof planHeal> => planHeal(states, members.map(({ isWritable }) => isWritable), shape.dataShards, isRead)
  let movedBytes = 0
  let isRead = false
  if (input.verify && plan(false).kind !== 'hopeless') {
    movedBytes += shardFileBytes(shape.sizeBytes, shape) * members.length
    isRead = await verifyBlocks(input, shape, members, states)
  }
  const planned = plan(isRead)
  switch (planned.kind) {
    case 'whole':
      return outcomeOf('whole', states, movedBytes)
    case 'hopeless':
      return outcomeOf('hopeless', states, movedBytes)
    case 'wait':
      return outcomeOf('waiting', states, movedBytes)
    case 'rebuild': {
      const made = await rebuild(input, shape, members, planned.shards)
      movedBytes += shardFileBytes(shape.sizeBytes, shape) * (shape.dataShards + made)
      return outcomeOf(made === planned.shards.length ? 'healed' : 'waiting', states, movedBytes)
    }
  }
}

type BlobShape = ReturnType<typeof shapeOf> & { readonly blobId: string; readonly sizeBytes: number }

function shapeOf({ dataShards, parityShards, blockBytes }: ShardHeader) {
  return { dataShards, parityShards, blockBytes }
}

function outcomeOf(outcome: HealedBlob['outcome'], states: readonly ShardState[], movedBytes: number): HealedBlob {
  const count = (wanted: ShardState): number => states.filter((state) => state === wanted).length
  return { outcome, found: { missing: count('missing'), corrupt: count('corrupt'), absent: count('absent') }, movedBytes }
}

/** Header, footer and length of a shard's file. */
export async function inspectShard(member: SetMember, blobId: string, shard: number): Promise<Inspected> {
  if (!member.isReadable) return { state: 'absent' }
  let file: DriveFile | undefined
  try {
    file = await member.drive.open(pathOf(blobId))
    const head = Buffer.alloc(shardHeaderBytes)
    const header = decodeShardHeader(head.subarray(0, await file.read(head, 0)))
    const storedBytes = await member.drive.sizeOf(pathOf(blobId))
    const foot = Buffer.alloc(shardFooterBytes)
    const sizeBytes = decodeShardFooter(foot.subarray(0, await file.read(foot, storedBytes - shardFooterBytes)), blobId, shard)
    if (header.blobId !== blobId || header.shard !== shard || shardFileBytes(sizeBytes, header) !== storedBytes) return { state: 'corrupt' }
    return { state: 'good', header, sizeBytes }
  } catch (error) {
    if (error instanceof BlobError) return { state: 'corrupt' }
    if (!(error instanceof DriveError)) throw error
    if (error.code === 'NotFound') return { state: 'missing' }
    member.noteReadFailure(error)
    return { state: 'absent' }
  } finally {
    await file?.close().catch(() => undefined)
  }
}

function openSource({ blobId, sizeBytes, ...shape }: BlobShape, members: readonly SetMember[], clock: Clock): StripeSource {
  return new StripeSource({
    blobId, sizeBytes, shape, members, clock,
    code: erasureCode(shape.dataShards, shape.parityShards),
    path: pathOf(blobId),
    buffers: stripeBuffers(members.length, shape.blockBytes),
    hedgeAfterMs: neverMs,
    onFault: () => {},
  })
}

/** Reads everything; shards with a bad block become `corrupt` in `states`. Whether every stripe could be read. */
async function verifyBlocks(input: HealBlobInput, shape: BlobShape, members: readonly SetMember[], states: ShardState[]): Promise<boolean> {
  const source = openSource(shape, members, input.clock)
  const all = members.map((_, shard) => shard)
  try {
    for (const group of groupsOf(shape)) {
      const { release } = await source.read(group, all)
      release()
      await input.rest?.()
    }
    return true
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return false
  } finally {
    await source.close()
    for (const [shard, fault] of source.faults) states[shard] = fault
  }
}

function groupsOf(shape: BlobShape): { readonly first: number; readonly count: number }[] {
  const stripes = stripeCount(shape.sizeBytes, shape)
  return Array.from({ length: Math.ceil(stripes / stripesAtOnce) }, (_, index) => ({ first: index * stripesAtOnce, count: Math.min(stripesAtOnce, stripes - index * stripesAtOnce) }))
}

interface NewShard {
  readonly shard: number
  readonly member: SetMember
  readonly path: string
  readonly file: DriveFile
}

/** How many of the shards were made. Damage that turns up meanwhile in others is left to the next time. */
async function rebuild(input: HealBlobInput, shape: BlobShape, members: readonly SetMember[], shards: readonly number[]): Promise<number> {
  const source = openSource(shape, members, input.clock)
  const isOpen = new Set<NewShard>()
  /** A drive that fails is left out from then on. */
  const each = (work: (made: NewShard) => Promise<void>): Promise<unknown> => Promise.all([...isOpen].map((made) => work(made).catch((error: unknown) => {
    isOpen.delete(made)
    made.member.noteWriteFailure(error)
    return discard(made)
  })))
  try {
    await Promise.all(shards.map(async (shard) => {
      const member = members[shard]
      if (member === undefined) return
      const path = `${pathOf(shape.blobId)}.${ulid(input.clock, input.random)}`
      await member.drive.create(path).then((file) => isOpen.add({ shard, member, path, file }), (error: unknown) => member.noteWriteFailure(error))
    }))
    await each(({ file, shard }) => file.write(headerOf(shape, shard), 0))
    for (const group of groupsOf(shape)) {
      const { blocks, release } = await source.read(group, shards)
      await each(({ file, shard }) => file.write(framesOf(shape.blobId, shard, group.first, blocks.get(shard) ?? []), shardFramePosition(group.first, shape.blockBytes)))
      release()
      await input.rest?.()
    }
    await each(({ file, shard }) => file.write(footerOf(shape, shard), shardFooterPosition(shape.sizeBytes, shape)))
    await each(async ({ file, member, path }) => {
      await file.sync()
      await member.drive.rename(path, pathOf(shape.blobId))
      await member.directorySyncs.sync(directoryOf(shape.blobId))
      await file.close()
    })
    return isOpen.size
  } catch (error) {
    await Promise.all([...isOpen].map((made) => discard(made)))
    if (error instanceof BlobError) return 0
    throw error
  } finally {
    await source.close()
  }
}

async function discard({ file, member, path }: NewShard): Promise<void> {
  await file.close().catch(() => undefined)
  await member.drive.remove(path).catch(() => undefined)
}

function headerOf(shape: BlobShape, shard: number): Buffer {
  const header = Buffer.alloc(shardHeaderBytes)
  encodeShardHeader(header, { ...shape, shard })
  return header
}

function footerOf({ blobId, sizeBytes }: BlobShape, shard: number): Buffer {
  const footer = Buffer.alloc(shardFooterBytes)
  encodeShardFooter(footer, blobId, shard, sizeBytes)
  return footer
}

function framesOf(blobId: string, shard: number, first: number, blocks: readonly Buffer[]): Buffer {
  const seed = shardSeed(blobId, shard)
  return Buffer.concat(blocks.flatMap((block, index) => {
    const hash = Buffer.alloc(hashBytes)
    hash.writeBigUInt64LE(shardBlockHash(seed, first + index, block))
    return [hash, block]
  }))
}

import { xxh64 } from '@node-rs/xxhash'
import { blobSeed, hashBytes } from './block-layout.ts'
import { BlobError } from './blob-store.ts'

/**
 * A shard's file, layout `stripes`, format 1. A blob's bytes are cut into stripes of `dataShards` blocks; each stripe is
 * coded into `dataShards + parityShards` blocks, one for each shard.
 *
 *     header   64 bytes: magic "MORAINES" (8), format (4, little endian), blockBytes (4), blobId (26, ASCII), dataShards (1),
 *              parityShards (1), shard (1), zeros (11), xxHash64 of the 56 bytes before (8)
 *     frames   one per stripe: xxHash64 of the block (8), then the block. All blocks are `blockBytes` long but those of the
 *              last stripe: its bytes are spread evenly, and the rest of its last data block is zeros
 *     footer   32 bytes: magic "MORAINEF" (8), sizeBytes of the blob (8), zeros (8), xxHash64 of the 24 bytes before (8)
 *
 * Every hash is seeded with the blob's id, the shard and the stripe, so that right bytes in the wrong place fail as wrong
 * ones do. All shards of a blob are equally long, and each says by itself what it is a shard of: a drive can be healed
 * without the metadata.
 */
export const shardHeaderBytes = 64
export const shardFooterBytes = 32

const headerMagic = Buffer.from('MORAINES', 'latin1')
const footerMagic = Buffer.from('MORAINEF', 'latin1')
const format = 1
const headerHashAt = shardHeaderBytes - hashBytes
const footerHashAt = shardFooterBytes - hashBytes

/** How a blob is cut: what its reference row keeps, and each of its shards. */
export interface StripeShape {
  readonly dataShards: number
  readonly parityShards: number
  readonly blockBytes: number
}

export interface ShardHeader extends StripeShape {
  readonly blobId: string
  readonly shard: number
}

export function encodeShardHeader(target: Buffer, { blobId, shard, dataShards, parityShards, blockBytes }: ShardHeader): void {
  target.fill(0, 0, shardHeaderBytes)
  headerMagic.copy(target)
  target.writeUInt32LE(format, 8)
  target.writeUInt32LE(blockBytes, 12)
  target.write(blobId, 16, 'latin1')
  target[42] = dataShards
  target[43] = parityShards
  target[44] = shard
  target.writeBigUInt64LE(xxh64(target.subarray(0, headerHashAt)), headerHashAt)
}

/** Throws `Corrupt` for anything but a header of a format that this version knows. */
export function decodeShardHeader(header: Buffer): ShardHeader {
  if (header.length < shardHeaderBytes || !header.subarray(0, headerMagic.length).equals(headerMagic)) throw new BlobError('Corrupt', 'not a shard')
  if (xxh64(header.subarray(0, headerHashAt)) !== header.readBigUInt64LE(headerHashAt)) {
    throw new BlobError('Corrupt', 'the header of the shard does not match its checksum')
  }
  const stored = header.readUInt32LE(8)
  if (stored !== format) throw new BlobError('Corrupt', `the shard has the unknown format ${stored}`)
  const [dataShards = 0, parityShards = 0, shard = 0] = header.subarray(42, 45)
  return { blockBytes: header.readUInt32LE(12), blobId: header.toString('latin1', 16, 42), dataShards, parityShards, shard }
}

export function encodeShardFooter(target: Buffer, blobId: string, shard: number, sizeBytes: number): void {
  target.fill(0, 0, shardFooterBytes)
  footerMagic.copy(target)
  target.writeBigUInt64LE(BigInt(sizeBytes), 8)
  target.writeBigUInt64LE(xxh64(target.subarray(0, footerHashAt), shardSeed(blobId, shard)), footerHashAt)
}

/** The blob's size. Throws `Corrupt`: the shard was cut short, or never finished. */
export function decodeShardFooter(footer: Buffer, blobId: string, shard: number): number {
  const isFooter = footer.length === shardFooterBytes && footer.subarray(0, footerMagic.length).equals(footerMagic)
  if (!isFooter || xxh64(footer.subarray(0, footerHashAt), shardSeed(blobId, shard)) !== footer.readBigUInt64LE(footerHashAt)) {
    throw new BlobError('Corrupt', `shard ${shard} of blob ${blobId} has no end`)
  }
  return Number(footer.readBigUInt64LE(8))
}

/** The stripe is added to it. */
export function shardSeed(blobId: string, shard: number): bigint {
  return BigInt.asUintN(64, blobSeed(blobId) + (BigInt(shard + 1) << 48n))
}

export function shardBlockHash(seed: bigint, stripe: number, block: Uint8Array): bigint {
  return xxh64(block, BigInt.asUintN(64, seed + BigInt(stripe)))
}

export function stripeCount(sizeBytes: number, { dataShards, blockBytes }: StripeShape): number {
  return Math.ceil(sizeBytes / (dataShards * blockBytes))
}

/** How long each block of a stripe is. */
export function stripeBlockBytes(stripe: number, sizeBytes: number, { dataShards, blockBytes }: StripeShape): number {
  const rest = sizeBytes - stripe * dataShards * blockBytes
  return Math.min(blockBytes, Math.ceil(rest / dataShards))
}

/** Where a stripe's frame begins in a shard's file. */
export function shardFramePosition(stripe: number, blockBytes: number): number {
  return shardHeaderBytes + stripe * (hashBytes + blockBytes)
}

/** How long each shard of a blob is, with header and footer. */
export function shardFileBytes(sizeBytes: number, shape: StripeShape): number {
  return shardFooterPosition(sizeBytes, shape) + shardFooterBytes
}

export function shardFooterPosition(sizeBytes: number, shape: StripeShape): number {
  const stripes = stripeCount(sizeBytes, shape)
  if (stripes === 0) return shardHeaderBytes
  return shardFramePosition(stripes - 1, shape.blockBytes) + hashBytes + stripeBlockBytes(stripes - 1, sizeBytes, shape)
}

/** Bytes of a range that one data block holds, counted within the block. */
export interface DataSlice {
  readonly shard: number
  readonly start: number
  readonly end: number
}

/** The slices of a stripe that a range covers, in the order of the bytes. */
export function stripeSlices(stripe: number, range: { readonly offset: number; readonly length: number }, sizeBytes: number, shape: StripeShape): DataSlice[] {
  const bytes = stripeBlockBytes(stripe, sizeBytes, shape)
  const base = stripe * shape.dataShards * shape.blockBytes
  const slices: DataSlice[] = []
  for (let shard = 0; shard < shape.dataShards; shard++) {
    const blockStart = base + shard * bytes
    const start = Math.max(0, range.offset - blockStart)
    const end = Math.min(bytes, range.offset + range.length - blockStart, sizeBytes - blockStart)
    if (start < end) slices.push({ shard, start, end })
  }
  return slices
}

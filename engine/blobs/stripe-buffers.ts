import { must } from '../../base/assert.ts'
import { KiB } from '../../base/units.ts'
import { pageBytes } from '../drives/page-memory.ts'
import { ErasureArena, slackBytes } from '../erasure/kernel.ts'
import { hashBytes } from './block-layout.ts'
import { shardFooterBytes } from './shard-layout.ts'

/** Stripes that are read and written together: 256 KiB of each shard, 128 on wide sets. */
export const stripesAtOnce = 2

/** Blocks of wide sets are shorter, so that what a stream holds does not grow with the drives: a buffer has 3.3 MB at most. */
const wideSetDrives = 8
const blockBytesOf = { narrow: 128 * KiB, wide: 64 * KiB }

/** How long the blocks of new blobs are on a set of so many drives; those that are there keep theirs. */
export function newBlockBytes(drives: number): number {
  return drives > wideSetDrives ? blockBytesOf.wide : blockBytesOf.narrow
}

/** Buffers that share one memory: a memory of its own for each would reserve gigabytes of addresses. */
const buffersPerArena = 8
/** With more in use than this many bytes, each stream holds one. */
const plentyBytes = 96 * 2 ** 20

/**
 * The bytes of a buffer that one shard takes: what was kept of its last page, or its header; frames; a footer; and what the
 * kernel may overwrite behind a block. Whole pages, so that each begins one.
 */
export function regionBytes(blockBytes: number): number {
  const used = pageBytes + stripesAtOnce * (hashBytes + blockBytes) + shardFooterBytes + slackBytes + 1
  return Math.ceil(used / pageBytes) * pageBytes
}

/** A piece of coding memory, a region for each shard and one for each that may have to be computed; one user's until it is given back. */
export interface StripeBuffer {
  readonly arena: ErasureArena
  /** Where it begins in the arena's bytes: at the beginning of a page. */
  readonly start: number
}

/** Bytes of buffers that are in use, of all lengths. */
export interface BytesInUse {
  bytes: number
}

/** Buffers of one length for stripes that are being written or read. As many as were in use at once are kept. */
export class StripeBuffers {
  readonly #bufferBytes: number
  readonly #inUse: BytesInUse
  #idle: StripeBuffer[] = []
  /** A part of them stays with somebody for good; they go once nobody uses them. */
  readonly #retired = new WeakSet<ErasureArena>()

  constructor(bufferBytes: number, inUse: BytesInUse = { bytes: 0 }) {
    this.#bufferBytes = bufferBytes
    this.#inUse = inUse
  }

  /** So many are in use that nobody should hold more than it must. */
  get areScarce(): boolean {
    return this.#inUse.bytes > plentyBytes
  }

  take(): StripeBuffer {
    if (this.#idle.length === 0) {
      const arena = new ErasureArena(this.#bufferBytes * buffersPerArena)
      for (let index = buffersPerArena - 1; index >= 0; index--) this.#idle.push({ arena, start: index * this.#bufferBytes })
    }
    this.#inUse.bytes += this.#bufferBytes
    return must(this.#idle.pop(), 'an idle buffer')
  }

  /** Nobody reads or writes it any more. */
  giveBack(buffer: StripeBuffer): void {
    this.#inUse.bytes -= this.#bufferBytes
    if (!this.#retired.has(buffer.arena)) this.#idle.push(buffer)
  }

  /** Somebody keeps what is in it: its memory is not used again, and neither is that of its neighbours, so that it can be collected. */
  leave({ arena }: StripeBuffer): void {
    this.#inUse.bytes -= this.#bufferBytes
    this.#retired.add(arena)
    this.#idle = this.#idle.filter((idle) => idle.arena !== arena)
  }
}

const pools = new Map<string, StripeBuffers>()
const inUse: BytesInUse = { bytes: 0 }

/** The buffers for stripes over so many shards: one pool for the process, and one account of all that are in use. Up to half of them may have to be computed. */
export function stripeBuffers(shards: number, blockBytes: number): StripeBuffers {
  const key = `${shards} ${blockBytes}`
  const pool = pools.get(key) ?? new StripeBuffers((shards + Math.floor(shards / 2)) * regionBytes(blockBytes), inUse)
  pools.set(key, pool)
  return pool
}

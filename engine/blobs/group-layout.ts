import { assert } from '../../base/assert.ts'
import { hashBytes } from './block-layout.ts'
import type { StripeShape } from './shard-layout.ts'
import { stripesAtOnce } from './stripe-buffers.ts'

/** The kernel writes whole steps of so many bytes: a block of another length is computed where nothing lies behind it. */
export const codingStepBytes = 32

/**
 * Where the blocks of a group of stripes lie while they are read, counted from the beginning of their buffer: the data
 * blocks in the order of the blob's bytes, one right behind the other, so that a whole group goes to its reader as one
 * piece; then the parity blocks, room for blocks that cannot be computed in their own place, and the hashes of all.
 */
export class GroupLayout {
  readonly #shape: StripeShape
  readonly #roomBytes: number
  readonly #parityAt: number
  readonly #computedAt: number
  readonly #hashesAt: number
  /** How much of the buffer it takes. */
  readonly bytes: number

  constructor(shape: StripeShape) {
    const { dataShards, parityShards, blockBytes } = shape
    this.#shape = shape
    // The kernel may overwrite a step's bytes behind a block.
    this.#roomBytes = (Math.ceil(blockBytes / codingStepBytes) + 1) * codingStepBytes
    this.#parityAt = Math.ceil((stripesAtOnce * dataShards * blockBytes) / codingStepBytes + 1) * codingStepBytes
    this.#computedAt = this.#parityAt + parityShards * stripesAtOnce * this.#roomBytes
    this.#hashesAt = this.#computedAt + parityShards * stripesAtOnce * this.#roomBytes
    this.bytes = this.#hashesAt + (dataShards + parityShards) * stripesAtOnce * hashBytes
  }

  /** `stripe` is that of the group, whose blocks are `lengthBytes` long. */
  blockAt(shard: number, stripe: number, lengthBytes: number): number {
    const { dataShards, blockBytes } = this.#shape
    if (shard < dataShards) return stripe * dataShards * blockBytes + shard * lengthBytes
    return this.#parityAt + ((shard - dataShards) * stripesAtOnce + stripe) * this.#roomBytes
  }

  /** Room for one of the blocks, as many as there are parities, that a stripe may lack. */
  computedAt(missing: number, stripe: number): number {
    assert(missing < this.#shape.parityShards, 'no more are computed than there are parities')
    return this.#computedAt + (missing * stripesAtOnce + stripe) * this.#roomBytes
  }

  hashAt(shard: number, stripe: number): number {
    return this.#hashesAt + (shard * stripesAtOnce + stripe) * hashBytes
  }
}

/** The same bytes in as few pieces as they lie in. */
export function joined(pieces: readonly Buffer[]): Buffer[] {
  const longer: Buffer[] = []
  for (const piece of pieces) {
    const last = longer.at(-1)
    if (last !== undefined && last.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset) {
      longer[longer.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + piece.length)
    } else longer.push(piece)
  }
  return longer
}

import { assert } from './assert.ts'
import type { Random } from './random.ts'

/**
 * A deterministic Random for simulations: one seed, one sequence, on every machine.
 * Not secret: SplitMix32 steps, one 32-bit word each.
 */
export class SeededRandom implements Random {
  #state: number

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed) && seed >= 0, 'a seed is a whole number')
    // Both halves of the seed count, so that seeds beyond 32 bits differ too.
    this.#state = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b)) | 0
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i += 4) {
      const word = this.#next()
      for (let j = i; j < i + 4 && j < count; j++) bytes[j] = word >>> ((j - i) * 8)
    }
    return bytes
  }

  /** A whole number, `0 <= n < bound`; `bound` is at most 2^32. */
  integer(bound: number): number {
    assert(Number.isInteger(bound) && bound > 0 && bound <= 2 ** 32, 'a bound is between 1 and 2^32')
    return Math.floor((this.#next() / 2 ** 32) * bound)
  }

  /** True with this probability (0 never, 1 always). */
  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability
  }

  /** One of the items, each as likely as another. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'there is nothing to pick from')
    return items[this.integer(items.length)] as T
  }

  /** An unsigned 32-bit word. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

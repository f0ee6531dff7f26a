import { must } from '../../base/assert.ts'
import { ErasureArena } from '../erasure/kernel.ts'

/** Buffers that share one memory: a memory of its own for each would reserve gigabytes of addresses. */
const buffersPerArena = 8

/** A piece of coding memory that is one writer's until it is given back. */
export interface StripeBuffer {
  readonly arena: ErasureArena
  /** Where it begins in the arena's bytes. */
  readonly start: number
}

/** Buffers of one length for stripes that are being written. As many as are in use are kept. */
export class StripeBuffers {
  readonly #bufferBytes: number
  readonly #idle: StripeBuffer[] = []

  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes
  }

  take(): StripeBuffer {
    if (this.#idle.length === 0) {
      const arena = new ErasureArena(this.#bufferBytes * buffersPerArena)
      for (let index = buffersPerArena - 1; index >= 0; index--) this.#idle.push({ arena, start: index * this.#bufferBytes })
    }
    return must(this.#idle.pop(), 'an idle buffer')
  }

  /** Nobody reads or writes it any more. */
  giveBack(buffer: StripeBuffer): void {
    this.#idle.push(buffer)
  }
}

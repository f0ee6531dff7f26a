import type { SeededRandom } from '../../base/seeded-random.ts'

interface Parked {
  readonly name: string
  readonly release: () => void
}

/**
 * Decides what goes on next. Everything that may be interleaved parks here; once all that runs has
 * come to rest, one of the parked is picked by the seed and released.
 */
export class Scheduler {
  readonly #random: SeededRandom
  /** Resolves when everything that can run without being released has run. */
  readonly rest: () => Promise<void>
  #parked: Parked[] = []
  #isOpen = false

  constructor(random: SeededRandom, rest: () => Promise<void>) {
    this.#random = random
    this.rest = rest
  }

  park(name: string): Promise<void> {
    if (this.#isOpen) return Promise.resolve()
    return new Promise((release) => this.#parked.push({ name, release }))
  }

  /** Releases one of the parked; what it was, or undefined when there is none. */
  async step(): Promise<string | undefined> {
    await this.rest()
    if (this.#parked.length === 0) return undefined
    const [chosen] = this.#parked.splice(this.#random.integer(this.#parked.length), 1)
    chosen?.release()
    return chosen?.name
  }

  /** From now on nothing is held up, and what was parked goes on. */
  async open(): Promise<void> {
    this.#isOpen = true
    for (const { release } of this.#parked.splice(0)) release()
    await this.rest()
  }

  close(): void {
    this.#isOpen = false
  }
}

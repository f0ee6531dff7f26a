import type { ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'

/** A client that sends one request after another is busy between them, too. */
const lullMs = 100

/** The requests of clients that this process serves, of any protocol: background work makes way for them. */
export class Traffic {
  readonly #clock: Clock
  #underWay = 0
  #endedMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request is under way, or was a moment ago. */
  get isBusy(): boolean {
    return this.#underWay > 0 || this.#clock.monotonicMs() - this.#endedMs < lullMs
  }

  /** A request has come, whose answer this is. */
  observe(response: ServerResponse): void {
    this.#underWay++
    response.once('close', () => {
      this.#underWay--
      this.#endedMs = this.#clock.monotonicMs()
    })
  }
}

/** What clients wrote and read while the log was recorded, and what a cut of it must therefore hold. */
import { createHash } from 'node:crypto'

/** SHA-1 of an object's bytes; undefined where there is none. */
export type State = string | undefined

/** A write of one key: puts the state, from the position where it was sent to the one where it was acknowledged. */
interface Write {
  readonly state: State
  readonly sentAt: number
  acknowledgedAt: number
  /** The first position at which a reader had seen it. */
  seenAt: number
}

/** What one key may hold after a cut: any of these. */
export interface Expectation {
  readonly key: string
  /** null: no object. */
  readonly allowed: readonly (string | null)[]
}

export const digestOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

/** Each key has one writer, which waits for each answer; readers are others. */
export class History {
  readonly #writes = new Map<string, Write[]>()
  acknowledged = 0
  /** Answers that were errors: what was asked may have happened. */
  unknown = 0

  get keys(): string[] {
    return [...this.#writes.keys()]
  }

  begin(key: string, state: State, sentAt: number): Write {
    const write = { state, sentAt, acknowledgedAt: Infinity, seenAt: Infinity }
    this.#writes.set(key, [...(this.#writes.get(key) ?? []), write])
    return write
  }

  acknowledge(write: Write, at: number): void {
    write.acknowledgedAt = at
    this.acknowledged++
  }

  /** A read answered this, which every later state of the drives must go on from. A state that nobody wrote is an error. */
  see(key: string, state: State, at: number): void {
    // Which of several deletes was seen cannot be told.
    if (state === undefined) return
    const writes = this.#writes.get(key) ?? []
    const write = writes.findLast(each => each.state === state)
    if (write === undefined) throw new Error(`${key} was read with bytes that nobody wrote`)
    write.seenAt = Math.min(write.seenAt, at)
  }

  /** Of each key the states from the last one that must be there to the last one that was asked for. */
  expectedAt(position: number): Expectation[] {
    return [...this.#writes].map(([key, writes]) => {
      const first = writes.findLastIndex(({ acknowledgedAt, seenAt }) => acknowledgedAt <= position || seenAt <= position)
      const possible = writes.slice(Math.max(first, 0)).filter(({ sentAt }) => sentAt <= position).map(({ state }) => state ?? null)
      return { key, allowed: first === -1 ? [null, ...possible] : possible }
    })
  }
}

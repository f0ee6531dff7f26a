import { entriesOf } from './journal/record.ts'
import type { JournalRecord } from './journal/record.ts'

/** What became of a request that was sent to a committer which died. */
export type Fate =
  | { readonly kind: 'committed'; readonly version: number }
  /** It is not in the journal and never will be: it can be sent again. */
  | { readonly kind: 'absent' }
  /** The journal does not reach back to when it was sent. */
  | { readonly kind: 'unknown' }

const remembered = 65_536

/** The versions of the latest commits, by the request that each was. */
export class KnownRequests {
  readonly #versions = new Map<string, number>()
  /** Their ids in a ring: the first entry of a map that forgets its first entries is found ever more slowly. */
  readonly #inOrder: string[] = []
  #next = 0
  /** Every commit after this version is known. */
  #completeAfter: number

  constructor(completeAfter: number) {
    this.#completeAfter = completeAfter
  }

  /** The oldest record that is about to be added. */
  begin(oldest: JournalRecord | undefined): void {
    if (oldest !== undefined) this.#completeAfter = oldest.firstVersion - 1
  }

  add(requestId: Buffer, version: number): void {
    const id = requestId.toString('latin1')
    const oldest = this.#inOrder[this.#next]
    if (oldest !== undefined) {
      this.#completeAfter = this.#versions.get(oldest) ?? this.#completeAfter
      this.#versions.delete(oldest)
    }
    this.#versions.set(id, version)
    this.#inOrder[this.#next] = id
    this.#next = (this.#next + 1) % remembered
  }

  addRecord(record: JournalRecord): void {
    let version = record.firstVersion
    for (const { requestId } of entriesOf(record)) this.add(requestId, version++)
  }

  /** `sentAfter`: a version that was committed before the request was sent. */
  fateOf(requestId: Buffer, sentAfter: number): Fate {
    const version = this.#versions.get(requestId.toString('latin1'))
    if (version !== undefined) return { kind: 'committed', version }
    return { kind: sentAfter >= this.#completeAfter ? 'absent' : 'unknown' }
  }
}

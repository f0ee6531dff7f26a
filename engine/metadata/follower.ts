import { must } from '../../base/assert.ts'
import { MiB } from '../../base/units.ts'
import { decodeRecord } from './journal/record.ts'
import type { JournalRecord } from './journal/record.ts'
import type { Member } from './member.ts'
import { replay } from './replay.ts'

/** A follower that is further behind holds the others up. */
const mostBehindBytes = 32 * MiB

/**
 * A member that nobody reads: its journal is written with the others', its index some time later, many
 * records at once. The journal has what the index lacks.
 */
export class Follower {
  readonly member: Member
  readonly #checkpointBytes: number
  readonly #onFailure: (error: unknown) => void
  #records: JournalRecord[] = []
  #bytes = 0
  #working: Promise<void> | undefined

  constructor(member: Member, checkpointBytes: number, onFailure: (error: unknown) => void) {
    this.member = member
    this.#checkpointBytes = checkpointBytes
    this.#onFailure = onFailure
  }

  /** A record that is durable in all journals. Resolves when the follower can take more. */
  async follow(bytes: Buffer): Promise<void> {
    const record = must(decodeRecord(Buffer.from(bytes), 0), 'what was sealed can be opened')
    this.#records.push(record)
    this.#bytes += bytes.length
    this.#working ??= this.#work()
    if (this.#bytes > mostBehindBytes) await this.#working
  }

  /** Resolves when its index has everything. */
  async settled(): Promise<void> {
    await this.#working
  }

  async #work(): Promise<void> {
    try {
      while (this.#records.length > 0) {
        const records = this.#records.splice(0)
        this.#bytes = 0
        await replay(this.member, records)
        if (this.member.journal.usedBytes > this.#checkpointBytes) await this.member.checkpoint()
      }
    } catch (error) {
      this.#records = []
      this.#onFailure(error)
    } finally {
      this.#working = undefined
    }
  }
}

import type { Commit, CommitResult } from './metadata-store.ts'

/** Where a store's commits go: to a committer in this process, or over a connection to another's. */
export interface MetadataCommits {
  commit(commit: Commit): Promise<CommitResult>
  /** Finishes what is under way. */
  close(): Promise<void>
}

/** 12 bytes that no other request has: 8 of the sender's, drawn once, and a counter. */
export class RequestIds {
  readonly #sender: Buffer
  #count = 0

  constructor(sender: Uint8Array) {
    this.#sender = Buffer.from(sender)
  }

  /** The counter begins again after 2^32; by then no request of that number is under way. */
  nextCount(): number {
    this.#count = (this.#count + 1) % 2 ** 32
    return this.#count
  }

  write(target: Buffer, offset: number, count: number): number {
    target.set(this.#sender, offset)
    return target.writeUInt32BE(count, offset + senderBytes)
  }
}

export const senderBytes = 8

/** Idle buffers of one length, at most `limit`: large ones cost page faults each time they are made anew. */
export class BufferPool {
  readonly #limit: number
  readonly #idle: Buffer[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** A buffer of exactly that length, its content arbitrary. */
  take(sizeBytes: number): Buffer {
    const buffer = this.#idle.pop()
    return buffer?.length === sizeBytes ? buffer : Buffer.allocUnsafeSlow(sizeBytes)
  }

  /** The caller does not touch it any more. */
  giveBack(buffer: Buffer): void {
    if (this.#idle.length < this.#limit) this.#idle.push(buffer)
  }
}

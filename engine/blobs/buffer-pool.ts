/** Idle buffers of one length, at most `limit`: large ones cost page faults each time they are made anew. */
export class BufferPool {
  readonly #limit: number
  readonly #allocate: (sizeBytes: number) => Buffer
  readonly #idle: Buffer[] = []

  constructor(limit: number, allocate: (sizeBytes: number) => Buffer = (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes)) {
    this.#limit = limit
    this.#allocate = allocate
  }

  /** A buffer of exactly that length, its content arbitrary. */
  take(sizeBytes: number): Buffer {
    const buffer = this.#idle.pop()
    return buffer?.length === sizeBytes ? buffer : this.#allocate(sizeBytes)
  }

  /** The caller does not touch it any more. */
  giveBack(buffer: Buffer): void {
    if (this.#idle.length < this.#limit) this.#idle.push(buffer)
  }
}

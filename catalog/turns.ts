/**
 * Commits of one process to one table go one after the other. Without it each one that loses a race
 * reads, applies and writes again, and of many at once nearly all lose. Other processes are met in
 * the store, whose checks decide; this only saves work.
 */
export class Turns {
  /** By name: settles when the last one that asked for it is done. */
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `body` when it has its turn for all of `names`, in the order of asking. */
  async run<T>(names: readonly string[], body: () => Promise<T>): Promise<T> {
    if (names.length === 0) return body()
    const before = names.flatMap((name) => this.#last.get(name) ?? [])
    let done = (): void => undefined
    const turn = new Promise<void>((resolve) => {
      done = resolve
    })
    // All names are taken in one step, so that two requests never wait for each other.
    for (const name of names) this.#last.set(name, turn)
    await Promise.all(before)
    try {
      return await body()
    } finally {
      for (const name of names) if (this.#last.get(name) === turn) this.#last.delete(name)
      done()
    }
  }
}

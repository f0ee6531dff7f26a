/**
 * At most so many operations of one drive at a time; the others wait for their turn, in order. An operation keeps one of the
 * process's threads until the system is done with it: without a bound a drive that hangs would keep all of them, and every
 * other drive, and the metadata, would wait behind it.
 */
export class DriveQueue {
  readonly #limit: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(limit = Infinity) {
    this.#limit = limit
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) return this.#start(work)
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => void this.#start(work).then(resolve, reject))
    })
  }

  #start<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    const running = work()
    const next = (): void => {
      this.#running--
      this.#waiting.shift()?.()
    }
    running.then(next, next)
    return running
  }
}

/** What all drives of a process may use together, where it has one drive or a few. */
const leastThreads = 32
const leastOperations = 8

/** How many operations of each of so many drives run at a time. A lone drive has nobody to make way for. */
export function operationsPerDrive(drives: number): number {
  return drives === 1 ? Infinity : Math.max(leastOperations, Math.floor(leastThreads / drives))
}

/** Threads for a process that uses so many drives: should all of them hang, as many are left as one drive has. */
export function driveThreads(drives: number): number {
  return drives === 1 ? leastThreads : operationsPerDrive(drives) * (drives + 1)
}

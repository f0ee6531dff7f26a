import type { Clock } from '../../base/clock.ts'
import { DriveError } from './drive.ts'

/** Waits so long for a drive and no longer; then it is an `Io` error, and whatever becomes of the work is nobody's. */
export function within<T>(clock: Clock, patienceMs: number, what: string, work: Promise<T>): Promise<T> {
  // Its reason is given: without, each end would make an error with a stack.
  const finished = new AbortController()
  return new Promise((resolve, reject) => {
    // What settles first counts. The end of the work cuts the sleep short, so it has to be settled before.
    work.then(resolve, reject).finally(() => finished.abort('finished'))
    void clock.sleep(patienceMs, finished.signal).then(() => reject(new DriveError('Io', `${what} did not answer within ${patienceMs} ms`)))
  })
}

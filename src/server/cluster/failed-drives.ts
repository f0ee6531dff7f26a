import { minuteMs } from '../../../base/units.ts'

const firstMs = minuteMs
const longestMs = 16 * minuteMs

/** Directories whose drives failed the committer: each is avoided for a while, twice as long each time that it fails again soon. */
export class FailedDrives {
  readonly #failures = new Map<string, { readonly untilMs: number; readonly forMs: number }>()

  note(directory: string, nowMs: number): void {
    const before = this.#failures.get(directory)
    const isSoon = before !== undefined && nowMs < before.untilMs + before.forMs
    const forMs = isSoon ? Math.min(2 * before.forMs, longestMs) : firstMs
    this.#failures.set(directory, { untilMs: nowMs + forMs, forMs })
  }

  avoided(nowMs: number): string[] {
    return [...this.#failures].filter(([, { untilMs }]) => nowMs < untilMs).map(([directory]) => directory)
  }
}

/**
 * Time as a port: nothing in `engine` or `catalog` reads a clock of its own.
 *
 * - `nowMs` is wall time, milliseconds since the Unix epoch; it may step backwards.
 * - `monotonicMs` never goes backwards within a process; only differences mean something.
 * - `sleep` resolves after at least `durationMs`, or as soon as `signal` aborts (it never rejects).
 */
export interface Clock {
  nowMs(): number
  monotonicMs(): number
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

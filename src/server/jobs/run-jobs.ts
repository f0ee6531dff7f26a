import type { Clock } from '../../../base/clock.ts'
import type { Lease } from './lease.ts'

/** One kind of background work: bounded rounds, idempotent, safe to run anywhere. */
export interface Job {
  readonly name: string
  readonly intervalMs: number
  readonly run: () => Promise<unknown>
}

export interface JobsOptions {
  readonly jobs: readonly Job[]
  readonly lease: Lease
  readonly clock: Clock
  /** How often the lease is renewed or tried for; well under its duration. */
  readonly pollMs: number
  readonly onFault: (job: string, fault: unknown) => void
  readonly signal: AbortSignal
}

/**
 * Runs each job at its interval, one at a time, while the lease is held; ends with `signal`, after
 * the job under way. The lease is renewed beside a long job.
 */
export async function runJobs({ jobs, lease, clock, pollMs, onFault, signal }: JobsOptions): Promise<void> {
  const dueAtMs = new Map(jobs.map(job => [job, clock.monotonicMs() + job.intervalMs]))
  let underWay: Promise<void> | undefined
  const runDue = async (): Promise<void> => {
    for (const job of jobs) {
      if (signal.aborted || clock.monotonicMs() < (dueAtMs.get(job) ?? 0)) continue
      await job.run().catch((fault: unknown) => onFault(job.name, fault))
      dueAtMs.set(job, clock.monotonicMs() + job.intervalMs)
    }
  }
  while (!signal.aborted) {
    const held = await lease.hold().catch((fault: unknown) => {
      onFault('lease', fault)
      return false
    })
    if (held && underWay === undefined) {
      underWay = runDue().finally(() => {
        underWay = undefined
      })
    }
    await clock.sleep(pollMs, signal)
  }
  await underWay
  await lease.release().catch((fault: unknown) => onFault('lease', fault))
}

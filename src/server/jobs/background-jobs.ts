import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
import type { Engine } from '../../../engine/index.ts'
import type { Catalog } from '../../../catalog/index.ts'
import type { Config } from '../../config/parse-config.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { createLease } from './lease.ts'
import { runJobs } from './run-jobs.ts'

interface Rotating {
  rotate(): Promise<void>
}

export interface JobParts {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly logger: Logger
  /** Of session tokens and access tokens. */
  readonly keys: readonly Rotating[]
  readonly clock: Clock
  readonly random: Random
  readonly leaseDurationMs: number
}

/** Background work, on whichever worker holds the lease. */
export function startJobs(config: Pick<Config, 'jobIntervalMs' | 'sweepIntervalMs'>, parts: JobParts, signal: AbortSignal): Promise<void> {
  const { engine, catalog, logger, keys, clock, random, leaseDurationMs } = parts
  const holder = Buffer.from(random.bytes(16)).toString('hex')
  return runJobs({
    jobs: [
      { name: 'collectGarbage', intervalMs: config.jobIntervalMs, run: () => engine.collectGarbage() },
      { name: 'countUsage', intervalMs: 0, run: () => countAll(engine) },
      { name: 'trimOutbox', intervalMs: config.jobIntervalMs, run: () => engine.trimOutbox() },
      { name: 'maintainCatalog', intervalMs: config.jobIntervalMs, run: () => catalog.maintain() },
      ...keys.map((each, index) => ({ name: `rotateKeys${index}`, intervalMs: config.jobIntervalMs, run: () => each.rotate() })),
      { name: 'sweepOrphans', intervalMs: config.sweepIntervalMs, run: () => engine.sweepOrphans() },
    ],
    lease: createLease({ engine, clock, name: 'background', holder, durationMs: leaseDurationMs }),
    clock,
    pollMs: leaseDurationMs / 3,
    onFault: (job, fault) => logger.error({ job, err: fault }, 'background work failed'),
    signal,
  })
}

/** Each round counts a bounded number of events. */
async function countAll(engine: Engine): Promise<void> {
  while ((await engine.countUsage()).countedEvents > 0);
}

import type { Clock } from '../../../base/clock.ts'
import { dayMs, MiB } from '../../../base/units.ts'
import type { DriveKeeper, Engine, SetGrowth } from '../../../engine/index.ts'
import type { Config } from '../../config/parse-config.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { careForDrives } from '../drives/care-for-drives.ts'
import type { CareRows } from '../drives/care-rows.ts'
import { type MetadataScrubOptions, scrubMetadata } from '../drives/scrub-metadata.ts'
import { createLease, type Lease } from '../jobs/lease.ts'
import { moveBlobs } from './move-blobs.ts'
import type { MoveRows } from './move-rows.ts'

export interface CareForSetsOptions {
  readonly engine: Engine
  readonly keeper: DriveKeeper
  /** Undefined on one drive. */
  readonly growth: SetGrowth | undefined
  readonly rows: CareRows
  readonly moveRows: MoveRows
  readonly clock: Clock
  readonly logger: Logger
  readonly nextId: () => string
  readonly shareKeys: () => Promise<void>
  readonly leaseDurationMs: number
  /** The copies of the metadata, and how they are looked at. */
  readonly copies: Pick<MetadataScrubOptions, 'current' | 'walk' | 'onDamaged'>
  readonly signal: AbortSignal
}

/** What keeps the drives well, and moves blobs between their sets, each on the worker with its lease. Ends with the signal; never rejects. */
export async function careForSets({ scrubIntervalMs, scrubRate, moveRate }: Pick<Config, 'scrubIntervalMs' | 'scrubRate' | 'moveRate'>, options: CareForSetsOptions): Promise<void> {
  const { engine, keeper, growth, rows, moveRows, clock, logger, nextId, shareKeys, leaseDurationMs, copies, signal } = options
  const renewMs = leaseDurationMs / 3
  const leaseOf = (name: string): Lease => createLease({ engine, clock, name, holder: nextId(), durationMs: leaseDurationMs })
  const care = careForDrives({ keeper, rows, clock, logger, nextId, shareKeys, renewMs, signal, lease: leaseOf('drives'), scrubIntervalMs, scrubBytesPerSecond: scrubRate * MiB })
  const moves = growth === undefined ? undefined : moveBlobs({ growth, rows: moveRows, clock, logger, renewMs, signal, lease: leaseOf('moves'), bytesPerSecond: moveRate * MiB })
  const scrub = scrubMetadata({ ...copies, rows, clock, logger, renewMs, signal, lease: leaseOf('metadata'), intervalMs: Math.min(scrubIntervalMs, dayMs) })
  await Promise.all([care, moves, scrub])
}

import type { Clock } from '../../../base/clock.ts'
import { type Engine, EngineError } from '../../../engine/index.ts'

/**
 * A lease: at most one holder at a time does some background work, over all processes on the store.
 * It is for thrift, not for safety: a holder that was stopped in the middle may go on after its lease
 * has passed to another, so the work itself must be safe to run twice.
 */
export interface Lease {
  /**
   * Takes the lease, or renews it: `true` while this holder has it for another `durationMs`, and where a full store has no
   * room for it: the work that it is for makes room.
   */
  hold(): Promise<boolean>
  /** Gives it back, if this holder has it. */
  release(): Promise<void>
}

export interface LeaseOptions {
  readonly engine: Pick<Engine, 'transact'>
  readonly clock: Clock
  readonly name: string
  /** Unique among all processes. */
  readonly holder: string
  readonly durationMs: number
}

/** The row, under `server/lease/NAME` of the engine's extension prefix, as JSON. */
interface LeaseRow {
  readonly holder: string
  readonly expiresAtMs: number
}

export function createLease({ engine, clock, name, holder, durationMs }: LeaseOptions): Lease {
  const key = Buffer.from(`server/lease/${name}`)
  return {
    hold: async () => {
      try {
        return await engine.transact(async ({ extensions }) => {
          const value = await extensions.get(key)
          const nowMs = clock.nowMs()
          if (value !== undefined && !mayTake(JSON.parse(value.toString()) as LeaseRow, holder, nowMs, durationMs)) return false
          const row: LeaseRow = { holder, expiresAtMs: nowMs + durationMs }
          extensions.put(key, Buffer.from(JSON.stringify(row)))
          return true
        })
      } catch (error) {
        if (error instanceof EngineError && error.code === 'StorageFull') return true
        throw error
      }
    },
    release: () =>
      engine.transact(async ({ extensions }) => {
        const value = await extensions.get(key)
        if (value !== undefined && (JSON.parse(value.toString()) as LeaseRow).holder === holder) extensions.delete(key)
      }),
  }
}

/** A row that expires later than any could have been written has seen the clock step back: it counts as expired. */
function mayTake(row: LeaseRow, holder: string, nowMs: number, durationMs: number): boolean {
  return row.holder === holder || row.expiresAtMs <= nowMs || row.expiresAtMs > nowMs + durationMs
}

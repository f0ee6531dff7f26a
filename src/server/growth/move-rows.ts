import type { Engine, MoveProgress } from '../../../engine/index.ts'

/**
 * What all workers know of blobs that are moved between sets: rows under `server/moves/` of the engine's extension prefix, as
 * JSON. Which sets are drained is the engine's to know; here is how far that is.
 */
export interface DrainRow {
  /** Of the drain that it is about: one that was cancelled and begun again is another. */
  readonly sinceMs: number
  readonly updatedAtMs: number
  readonly progress: MoveProgress
}

export interface RebalanceRow {
  readonly id: string
  readonly state: 'running' | 'done' | 'cancelled'
  readonly startedAtMs: number
  readonly updatedAtMs: number
  readonly progress: MoveProgress | undefined
}

export interface MoveRows {
  drain(set: number): Promise<DrainRow | undefined>
  putDrain(set: number, row: DrainRow): Promise<void>
  rebalance(): Promise<RebalanceRow | undefined>
  /** A new one, unless one is running: then that. */
  beginRebalance(row: RebalanceRow): Promise<RebalanceRow>
  /** False unless the one of that id, or any where none is given, was running. */
  putRebalance(change: Partial<RebalanceRow>, id?: string): Promise<boolean>
}

export function createMoveRows(engine: Pick<Engine, 'transact' | 'extensions'>): MoveRows {
  const keyOf = (name: string | number): Buffer => Buffer.from(`server/moves/${name}`)
  const encode = (row: object): Buffer => Buffer.from(JSON.stringify(row))
  const decode = <T>(value: Buffer | undefined): T | undefined => (value === undefined ? undefined : (JSON.parse(value.toString()) as T))
  const rebalanceKey = keyOf('rebalance')
  return {
    drain: async set => decode<DrainRow>(await engine.extensions.get(keyOf(set))),
    putDrain: (set, row) => engine.transact(async ({ extensions }) => extensions.put(keyOf(set), encode(row))),
    rebalance: async () => decode<RebalanceRow>(await engine.extensions.get(rebalanceKey)),
    beginRebalance: row =>
      engine.transact(async ({ extensions }) => {
        const before = decode<RebalanceRow>(await extensions.get(rebalanceKey))
        if (before?.state === 'running') return before
        extensions.put(rebalanceKey, encode(row))
        return row
      }),
    putRebalance: (change, id) =>
      engine.transact(async ({ extensions }) => {
        const before = decode<RebalanceRow>(await extensions.get(rebalanceKey))
        if (before?.state !== 'running' || (id !== undefined && before.id !== id)) return false
        extensions.put(rebalanceKey, encode({ ...before, ...change }))
        return true
      }),
  }
}

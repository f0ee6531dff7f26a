import type { Engine, WalkKind, WalkProgress } from '../../../engine/index.ts'

/** What all workers know of healing: rows under `server/drives/` of the engine's extension prefix, as JSON. */
export interface HealRequest {
  readonly id: string
  readonly requestedAtMs: number
}

export interface WalkState {
  /** Of the request that it answers; of a scrub, when it was due. */
  readonly id: string
  readonly kind: WalkKind
  readonly state: 'running' | 'done'
  readonly startedAtMs: number
  readonly updatedAtMs: number
  readonly progress: WalkProgress | undefined
}

/** A walk over all copies of the metadata. */
export interface CopiesState {
  readonly state: 'running' | 'done'
  readonly startedAtMs: number
  readonly updatedAtMs: number
  readonly directories: readonly string[]
  /** Copies before this one are done, and tables of it before this one. */
  readonly copy: number
  readonly table: number
  /** Of copies that are done. */
  readonly rows: number
  readonly damaged: readonly string[]
}

export interface CareRows {
  request(): Promise<HealRequest | undefined>
  putRequest(request: HealRequest): Promise<void>
  /** The walk over blobs that lack shards, and the scrub. */
  walk(name: WalkName): Promise<WalkState | undefined>
  putWalk(name: WalkName, state: WalkState): Promise<void>
  copies(): Promise<CopiesState | undefined>
  putCopies(state: CopiesState): Promise<void>
}

export type WalkName = 'heal' | 'scrub'

export function createCareRows(engine: Pick<Engine, 'transact' | 'extensions'>): CareRows {
  const keyOf = (name: string): Buffer => Buffer.from(`server/drives/${name}`)
  const read = async <T>(name: string): Promise<T | undefined> => {
    const value = await engine.extensions.get(keyOf(name))
    return value === undefined ? undefined : (JSON.parse(value.toString()) as T)
  }
  const put = (name: string, row: object): Promise<void> => engine.transact(async ({ extensions }) => extensions.put(keyOf(name), Buffer.from(JSON.stringify(row))))
  return {
    request: () => read<HealRequest>('request'),
    putRequest: request => put('request', request),
    walk: name => read<WalkState>(name),
    putWalk: (name, state) => put(name, state),
    copies: () => read<CopiesState>('metadata'),
    putCopies: state => put('metadata', state),
  }
}

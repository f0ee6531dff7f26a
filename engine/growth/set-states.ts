import { setOfRow, setRow, tableRange, tables } from '../keys.ts'
import type { MetadataReader } from '../metadata/metadata-store.ts'
import { commit, type EngineContext } from '../objects/context.ts'
import { setFormat, type SetRecord, type SetState } from '../records/set-record.ts'

const maxSets = 65_536

/** The sets that blobs are moved off, or were. */
export async function readSetStates(reader: Pick<MetadataReader, 'list'>): Promise<ReadonlyMap<number, SetRecord>> {
  const rows = await reader.list({ ...tableRange(tables.set), limit: maxSets })
  return new Map(rows.map(({ key, value }) => [setOfRow(key), setFormat.decode(value)]))
}

export async function setStateOf(reader: Pick<MetadataReader, 'get'>, set: number): Promise<SetState | undefined> {
  const row = await reader.get(setRow(set))
  return row === undefined ? undefined : setFormat.decode(row.value).state
}

/**
 * - `begun`: writers avoid the set from now on, as soon as they know, and its blobs can be moved off.
 * - `already`: that was begun before; a set that is empty is looked through once more.
 * - `lastSet`: no other set of those that there are would take the blobs.
 */
export type DrainBegin = 'begun' | 'already' | 'lastSet'

/** Commit point: one commit that checks the states of all sets. */
export function beginDrain(context: EngineContext, set: number, sets: readonly number[]): Promise<DrainBegin> {
  return commit(context, async (tx) => {
    const states = new Map<number, boolean>()
    for (const each of sets) states.set(each, (await tx.get(setRow(each))) !== undefined)
    const sinceMs = Math.floor(context.clock.nowMs())
    if (states.get(set) === true) {
      const row = await tx.get(setRow(set))
      if (row !== undefined && setFormat.decode(row).state === 'empty') tx.put(setRow(set), setFormat.encode({ state: 'verifying', sinceMs }))
      return 'already'
    }
    if (![...states].some(([other, isDrained]) => other !== set && !isDrained)) return 'lastSet'
    tx.put(setRow(set), setFormat.encode({ state: 'draining', sinceMs }))
    return 'begun'
  })
}

/** False when the set is empty already, which is final, or nothing was begun. What was moved stays where it is. */
export function cancelDrain(context: EngineContext, set: number): Promise<boolean> {
  return commit(context, async (tx) => {
    const row = await tx.get(setRow(set))
    if (row === undefined || setFormat.decode(row).state !== 'draining') return false
    tx.delete(setRow(set))
    return true
  })
}

/** From now on no blob that is written there can be published. False when the drain was cancelled meanwhile. */
export function closeSet(context: EngineContext, set: number): Promise<boolean> {
  return commit(context, async (tx) => {
    const row = await tx.get(setRow(set))
    if (row === undefined) return false
    const { state, sinceMs } = setFormat.decode(row)
    if (state === 'draining') tx.put(setRow(set), setFormat.encode({ state: 'verifying', sinceMs }))
    return true
  })
}

/** Of a set that is closed, and on which nothing is in use. */
export function markEmpty(context: EngineContext, set: number): Promise<void> {
  return commit(context, async (tx) => {
    tx.put(setRow(set), setFormat.encode({ state: 'empty', sinceMs: Math.floor(context.clock.nowMs()) }))
  })
}

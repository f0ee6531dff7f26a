import type { Engine, OutboxPage } from '../engine.ts'
import { cursorRow, outboxPrefix, outboxStateRow, tableRange, tables, usageStateRow } from '../keys.ts'
import type { MetadataReader } from '../metadata/metadata-store.ts'
import { commit, type EngineContext } from '../objects/context.ts'
import { recordFormat } from '../records/record-format.ts'
import { usageStateFormat } from '../usage/usage-records.ts'
import { eventFormat } from './append-event.ts'

/**
 * The outbox: events in the order of their commits, kept until every consumer has read them, and
 * no more than `outboxEvents` of them for those who have not.
 *
 * A cursor is an event's place in that order: hex digits that compare as the places do.
 */
interface OutboxState {
  /** The last event that was trimmed. */
  readonly trimmedThrough: string | undefined
  /** The last event that was counted, and how many of the counted ones are still there. */
  readonly countedThrough: string | undefined
  readonly counted: number
}

const cursorPattern = /^[0-9a-f]{20}$/
const maxConsumers = 1000
/** So many times the bound is kept of events whose bytes are not in the count of what is stored yet. */
const uncountedFactor = 10

type StoredState1 = readonly [trimmedThrough: string | null, countedThrough: string | null, counted: number]

export const outboxStateFormat = recordFormat<OutboxState>({
  name: 'outbox state',
  version: 1,
  encode: ({ trimmedThrough, countedThrough, counted }): StoredState1 => [trimmedThrough ?? null, countedThrough ?? null, counted],
  decode: {
    1: ([trimmedThrough, countedThrough, counted]: StoredState1) => ({
      trimmedThrough: trimmedThrough ?? undefined,
      countedThrough: countedThrough ?? undefined,
      counted,
    }),
  },
})

const emptyState: OutboxState = { trimmedThrough: undefined, countedThrough: undefined, counted: 0 }

export async function readOutbox(context: EngineContext, { cursor, limit }: Parameters<Engine['readOutbox']>[0]): Promise<OutboxPage> {
  for (;;) {
    const before = await context.metadata.get(outboxStateRow)
    const rows = await rowsAfter(context.metadata, cursor, limit)
    const after = await context.metadata.get(outboxStateRow)
    // Trimmed between the two: the rows may lack events that were there at the start.
    if (before?.version !== after?.version) continue
    const { trimmedThrough } = after === undefined ? emptyState : outboxStateFormat.decode(after.value)
    const missedEvents = trimmedThrough !== undefined && (cursor === undefined || cursor < trimmedThrough)
    const last = rows[rows.length - 1]
    return { events: rows.map(({ value }) => eventFormat.decode(value)), cursor: last === undefined ? cursor : cursorOf(last.key), missedEvents }
  }
}

export function saveCursor(context: EngineContext, consumer: string, cursor: string): Promise<void> {
  return commit(context, async (tx) => {
    tx.put(cursorRow(consumer), Buffer.from(cursor))
  })
}

export async function loadCursor(context: EngineContext, consumer: string): Promise<string | undefined> {
  return (await context.metadata.get(cursorRow(consumer)))?.value.toString()
}

/**
 * One bounded round: counts events that came since the last one, then drops those that every
 * consumer has passed and those over the bound, oldest first. With no consumer only the bound counts.
 */
export async function trimOutbox(context: EngineContext): Promise<{ deletedEvents: number }> {
  const { outboxEvents, roundLimit } = context.settings
  return commit(context, async (tx) => {
    const stored = await tx.get(outboxStateRow)
    const state = stored === undefined ? emptyState : outboxStateFormat.decode(stored)
    const fresh = await rowsAfter(context.metadata, state.countedThrough, roundLimit)
    const counted = state.counted + fresh.length
    const passed = await leastCursor(context.metadata)
    const oldest = await context.metadata.list({ ...tableRange(tables.outbox), limit: Math.min(roundLimit, counted) })
    const usage = await tx.peek(usageStateRow)
    const countedThrough = usage === undefined ? undefined : usageStateFormat.decode(usage.value).countedThrough
    const isUncounted = (cursor: string): boolean => countedThrough !== undefined && cursor > countedThrough
    const doomed = oldest.filter(({ key }, index) => {
      const cursor = cursorOf(key)
      const isOver = index < counted - outboxEvents * (isUncounted(cursor) ? uncountedFactor : 1)
      return isOver || (passed !== undefined && cursor <= passed && !isUncounted(cursor))
    })
    for (const { key } of doomed) tx.delete(key)
    const lastDoomed = doomed[doomed.length - 1]
    const lastFresh = fresh[fresh.length - 1]
    if (lastDoomed === undefined && lastFresh === undefined) return { deletedEvents: 0 }
    const next: OutboxState = {
      trimmedThrough: lastDoomed === undefined ? state.trimmedThrough : cursorOf(lastDoomed.key),
      countedThrough: lastFresh === undefined ? state.countedThrough : cursorOf(lastFresh.key),
      counted: counted - doomed.length,
    }
    tx.put(outboxStateRow, outboxStateFormat.encode(next))
    return { deletedEvents: doomed.length }
  })
}

function rowsAfter(reader: MetadataReader, cursor: string | undefined, limit: number) {
  const range = tableRange(tables.outbox)
  const isOurs = cursor !== undefined && cursorPattern.test(cursor)
  const start = isOurs ? Buffer.concat([outboxPrefix, Buffer.from(cursor, 'hex'), Buffer.of(0)]) : range.start
  return limit === 0 ? Promise.resolve([]) : reader.list({ start, end: range.end, limit })
}

/** How far the slowest consumer has read; undefined when there is none. */
async function leastCursor(reader: MetadataReader): Promise<string | undefined> {
  const rows = await reader.list({ ...tableRange(tables.cursor), limit: maxConsumers })
  return rows.map(({ value }) => value.toString()).sort()[0]
}

/** The cursor of an event's row. */
export function cursorOf(row: Buffer): string {
  return row.toString('hex', 1)
}

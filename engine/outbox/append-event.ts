import type { OutboxEvent } from '../engine.ts'
import { outboxPrefix } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { EngineContext } from '../objects/context.ts'
import { recordFormat } from '../records/record-format.ts'

type StoredEvent1 = readonly [type: string, atMs: number, subject: string, detail: unknown]

export const eventFormat = recordFormat<OutboxEvent>({
  name: 'outbox event',
  version: 1,
  encode: ({ type, atMs, subject, detail }): StoredEvent1 => [type, atMs, subject, detail],
  decode: { 1: ([type, atMs, subject, detail]: StoredEvent1) => ({ type, atMs, subject, detail }) },
})

/** Adds an event to the commit; the store's commit order is the events' order. */
export function appendEvent(
  context: EngineContext,
  tx: Transaction,
  { type, subject, detail }: { readonly type: string; readonly subject: string; readonly detail: unknown },
): void {
  tx.append(outboxPrefix, eventFormat.encode({ type, atMs: Math.floor(context.clock.nowMs()), subject, detail }))
}

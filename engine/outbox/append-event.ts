import type { Bucket, OutboxEvent } from '../engine.ts'
import { outboxPrefix } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { EngineContext } from '../objects/context.ts'
import { recordFormat } from '../records/record-format.ts'

type StoredEvent1 = readonly [type: string, atMs: number, subject: string, detail: unknown]
type StoredUsage = readonly [bucketId: string, bytes: number, objects: number]
type StoredEvent2 = readonly [...StoredEvent1, ...(readonly StoredUsage[])]

export const eventFormat = recordFormat<OutboxEvent>({
  name: 'outbox event',
  version: 2,
  encode: ({ type, atMs, subject, detail, usage = [] }): StoredEvent2 => [
    type, atMs, subject, detail, ...usage.map(({ bucketId, bytes, objects }) => [bucketId, bytes, objects] as const),
  ],
  decode: {
    1: ([type, atMs, subject, detail]: StoredEvent1) => ({ type, atMs, subject, detail }),
    2: ([type, atMs, subject, detail, ...usage]: StoredEvent2) => {
      if (usage.length === 0) return { type, atMs, subject, detail }
      return { type, atMs, subject, detail, usage: usage.map(([bucketId, bytes, objects]) => ({ bucketId, bytes, objects })) }
    },
  },
})

/** What one run of a transaction's body has to tell. */
interface Pending {
  readonly events: OutboxEvent[]
  /** By the bucket's id. */
  readonly usage: Map<string, { readonly bucket: string; bytes: number; objects: number }>
}

const pendings = new WeakMap<Transaction, Pending>()

function pendingOf(tx: Transaction): Pending {
  const known = pendings.get(tx)
  if (known !== undefined) return known
  const pending: Pending = { events: [], usage: new Map() }
  pendings.set(tx, pending)
  return pending
}

/** Adds an event to the commit; the store's commit order is the events' order. */
export function appendEvent(
  context: EngineContext,
  tx: Transaction,
  { type, subject, detail }: { readonly type: string; readonly subject: string; readonly detail: unknown },
): void {
  pendingOf(tx).events.push({ type, atMs: Math.floor(context.clock.nowMs()), subject, detail })
}

/** So many bytes and object versions more, or fewer, are stored in the bucket once the transaction is committed. */
export function noteUsage(tx: Transaction, { bucketId, name }: Pick<Bucket, 'bucketId' | 'name'>, bytes: number, objects: number): void {
  const { usage } = pendingOf(tx)
  const change = usage.get(bucketId) ?? { bucket: name, bytes: 0, objects: 0 }
  usage.set(bucketId, { ...change, bytes: change.bytes + bytes, objects: change.objects + objects })
}

/**
 * The last step of every transaction: its events become rows, the first one with what the commit changes of what is
 * stored, so that counting costs a small PUT no row of its own.
 */
export function writeEvents(context: EngineContext, tx: Transaction): void {
  const pending = pendings.get(tx)
  if (pending === undefined) return
  const changes = [...pending.usage].filter(([, { bytes, objects }]) => bytes !== 0 || objects !== 0)
  const usage = changes.map(([bucketId, { bytes, objects }]) => ({ bucketId, bytes, objects }))
  const [change] = changes
  if (change !== undefined && pending.events.length === 0) {
    pending.events.push({ type: 'UsageChanged', atMs: Math.floor(context.clock.nowMs()), subject: change[1].bucket, detail: {} })
  }
  for (const [index, event] of pending.events.entries()) {
    tx.append(outboxPrefix, eventFormat.encode(index === 0 && usage.length > 0 ? { ...event, usage } : event))
  }
}

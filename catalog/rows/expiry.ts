import type { CatalogStore, CatalogTransaction } from '../catalog-store.ts'
import { key, rangeOf, timeText } from './keys.ts'

/** Rows that are deleted in time: an index of what falls due when, so that finding it costs only what is due. */

export function putExpiring(tx: CatalogTransaction, rowKey: Uint8Array, value: Uint8Array, dueMs: number): void {
  tx.put(rowKey, value)
  tx.put(key('e', timeText(dueMs), Buffer.from(rowKey).toString('hex')), Buffer.alloc(0))
}

/** Deletes up to `limit` rows that are due, and resolves to how many; call again while it equals `limit`. */
export async function expireRows(store: CatalogStore, nowMs: number, limit: number): Promise<number> {
  const due = await store.list({ start: rangeOf(key('e')).start, end: key('e', timeText(nowMs)), limit })
  if (due.length === 0) return 0
  await store.transact(async (tx) => {
    for (const { key: dueKey } of due) {
      const text = Buffer.from(dueKey).toString('latin1').split('\u0000')
      tx.delete(Buffer.from(text[1] ?? '', 'hex'))
      tx.delete(dueKey)
    }
  })
  return due.length
}

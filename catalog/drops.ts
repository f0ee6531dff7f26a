import type { CatalogTransaction } from './catalog-store.ts'
import type { CatalogContext } from './context.ts'
import { key } from './rows/keys.ts'
import { decodeRow, encodeRow, type PointerRow, type RowReader, type Warehouse } from './rows/rows.ts'
import type { TableIdentifier } from './spec/identifier.ts'

/** A dropped table or view that can still be restored. */
export interface DroppedRow {
  readonly warehouse: string
  readonly kind: 'table' | 'view'
  readonly identifier: TableIdentifier
  readonly pointer: PointerRow
  readonly droppedAtMs: number
  readonly restorableUntilMs: number
  /** Its files are deleted once it can no longer be restored. */
  readonly purge: boolean
}

/** A table whose files shall be deleted by the background job. */
export interface PurgeRow {
  readonly warehouse: string
  readonly bucket: string
  readonly metadataLocation: string
}

export function droppedKey(warehouse: string, uuid: string): Buffer {
  return key('d', warehouse, uuid)
}

export async function readDropped(reader: RowReader, warehouse: string, uuid: string): Promise<DroppedRow | undefined> {
  const bytes = await reader.get(droppedKey(warehouse, uuid))
  return bytes === undefined ? undefined : decodeRow<DroppedRow>(bytes)
}

/**
 * What a drop leaves behind, within `tx`: a row to restore from where the warehouse keeps dropped
 * things for a time, else the order to purge where that was asked for, else nothing.
 */
export function recordDrop(
  tx: CatalogTransaction, { clock }: Pick<CatalogContext, 'clock'>, warehouse: Warehouse, dropped: Pick<DroppedRow, 'kind' | 'identifier' | 'pointer' | 'purge'>,
): void {
  const nowMs = clock.nowMs()
  if (warehouse.undropMs !== undefined && warehouse.undropMs > 0) {
    const row: DroppedRow = { ...dropped, warehouse: warehouse.name, droppedAtMs: nowMs, restorableUntilMs: nowMs + warehouse.undropMs }
    tx.put(droppedKey(warehouse.name, dropped.pointer.uuid), encodeRow(row))
  } else if (dropped.purge) orderPurge(tx, warehouse, dropped.pointer)
}

export function orderPurge(tx: CatalogTransaction, warehouse: Warehouse, { uuid, metadataLocation }: PointerRow): void {
  const row: PurgeRow = { warehouse: warehouse.name, bucket: warehouse.bucket, metadataLocation }
  tx.put(key('q', warehouse.name, uuid), encodeRow(row))
}

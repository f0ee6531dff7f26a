import type { CatalogTransaction } from './catalog-store.ts'
import type { CatalogContext } from './context.ts'
import { CatalogError } from './errors.ts'
import { key } from './rows/keys.ts'
import { decodeRow, encodeRow, type PointerRow, type RowReader, type Warehouse, fileOf, type MetadataFile } from './rows/rows.ts'
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
export interface PurgeRow extends MetadataFile {
  readonly warehouse: string
  readonly bucket: string
  /** The warehouse's. */
  readonly prefix?: string
  /** Absent in orders of earlier versions. */
  readonly uuid?: string
}

export function purgeKey(warehouse: string, uuid: string): Buffer {
  return key('q', warehouse, uuid)
}

/** `CommitFailed` while the files of a table with this uuid are being deleted; none is, when `tx` commits. */
export async function requireNotPurged(tx: CatalogTransaction, warehouse: Warehouse, uuid: string): Promise<void> {
  // No table has such a uuid: what it came from is refused elsewhere.
  if (uuid.length > longestUuid) return
  if ((await tx.get(purgeKey(warehouse.name, uuid))) !== undefined) throw new CatalogError('CommitFailed', `The files of table ${uuid} are being deleted`)
}

export function droppedKey(warehouse: string, uuid: string): Buffer {
  return key('d', warehouse, uuid)
}

/** A real one has 36 characters. */
const longestUuid = 200

export async function readDropped(reader: RowReader, warehouse: string, uuid: string): Promise<DroppedRow | undefined> {
  // A client's text: a longer one is nothing's, and would not fit a key.
  if (uuid.length > longestUuid) return undefined
  const bytes = await reader.get(droppedKey(warehouse, uuid))
  return bytes === undefined ? undefined : decodeRow<DroppedRow>(bytes)
}

/**
 * What a drop leaves behind, within `tx`: a row to restore from (its metadata file stays pinned)
 * where the warehouse keeps dropped things for a time, else the order to purge where that was asked
 * for, else nothing.
 */
export async function recordDrop(
  tx: CatalogTransaction, { clock }: Pick<CatalogContext, 'clock'>, warehouse: Warehouse, dropped: Pick<DroppedRow, 'kind' | 'identifier' | 'pointer' | 'purge'>,
): Promise<void> {
  const nowMs = clock.nowMs()
  if (warehouse.undropMs !== undefined && warehouse.undropMs > 0) {
    // A table that was registered twice can be dropped twice: the later drop takes the earlier one's place.
    const earlier = await readDropped(tx, warehouse.name, dropped.pointer.uuid)
    if (earlier !== undefined) await tx.unpinFile(earlier.pointer.metadataLocation)
    const row: DroppedRow = { ...dropped, warehouse: warehouse.name, droppedAtMs: nowMs, restorableUntilMs: nowMs + warehouse.undropMs }
    tx.put(droppedKey(warehouse.name, dropped.pointer.uuid), encodeRow(row))
    return
  }
  await tx.unpinFile(dropped.pointer.metadataLocation)
  if (dropped.purge) orderPurge(tx, warehouse, dropped.pointer)
}

export function orderPurge(tx: CatalogTransaction, warehouse: Warehouse, pointer: PointerRow): void {
  const { name, bucket, prefix } = warehouse
  const row: PurgeRow = { warehouse: name, bucket, ...(prefix !== undefined && { prefix }), uuid: pointer.uuid, ...fileOf(pointer) }
  tx.put(purgeKey(warehouse.name, pointer.uuid), encodeRow(row))
}

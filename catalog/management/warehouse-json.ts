import type { Caller } from '../context.ts'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import type { Warehouse } from '../rows/rows.ts'

/** A warehouse as these operations show it. */
export function warehouseJson({ name, bucket, prefix, ownerAccountId, createdAtMs, undropMs }: Warehouse): Json {
  return { name, bucket, prefix, 'owner-account-id': ownerAccountId, 'created-at-ms': createdAtMs, 'undrop-ms': undropMs }
}

export function ownsWarehouse(caller: Caller, warehouse: Warehouse): boolean {
  return caller.isRoot || caller.accountId === warehouse.ownerAccountId
}

export function forbidden(): CatalogError {
  return new CatalogError('Forbidden', 'Not authorized to make this request')
}

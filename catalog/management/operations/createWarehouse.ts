import { CatalogError } from '../../errors.ts'
import { int64, object, optional, string } from '../../json/decode.ts'
import { decodeRequest as decodeJson } from '../../rest/operation.ts'
import { warehouseKey } from '../../rows/keys.ts'
import { encodeRow, readWarehouse, type Warehouse } from '../../rows/rows.ts'
import { checkNewWarehouse, undropMsOf } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse, warehouseJson } from '../warehouse-json.ts'

const decodeRequest = object({ name: string, bucket: optional(string), prefix: optional(string), 'undrop-ms': optional(int64) })

/**
 * POST warehouses: a warehouse of the caller's, in a bucket of its name unless the request names
 * another of the caller's buckets; a bucket that is not there is created. Errors: AlreadyExists,
 * Forbidden (another account's bucket), BadRequest.
 */
export const createWarehouse: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    const { body, caller } = input
    const { store, clock, buckets } = context
    const request = decodeJson(decodeRequest, body ?? {})
    const undropMs = undropMsOf(request['undrop-ms'])
    const place = checkNewWarehouse({
      name: request.name,
      bucket: request.bucket ?? request.name,
      ownerAccountId: caller.accountId,
      ...(request.prefix !== undefined && { prefix: request.prefix }),
      ...(undropMs !== undefined && { undropMs }),
    })
    await requireUse(context, input, place)
    await buckets.ensureBucket(place.bucket, caller)
    const warehouse: Warehouse = { ...place, createdAtMs: clock.nowMs() }
    await store.transact(async (tx) => {
      if ((await readWarehouse(tx, place.name)) !== undefined) throw new CatalogError('AlreadyExists', `Warehouse already exists: ${place.name}`)
      tx.put(warehouseKey(place.name), encodeRow(warehouse))
      tx.emit({ type: 'iceberg:CreateWarehouse', subject: place.name, detail: { warehouse: place.name, bucket: place.bucket } })
    })
    return { kind: 'json', body: warehouseJson(warehouse) }
  },
}

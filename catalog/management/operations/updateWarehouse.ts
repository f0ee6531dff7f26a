import { int64, nullable, object } from '../../json/decode.ts'
import { decodeRequest as decodeJson } from '../../rest/operation.ts'
import { warehouseKey } from '../../rows/keys.ts'
import { encodeRow, type Warehouse } from '../../rows/rows.ts'
import { resolveWarehouse, undropMsOf } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse, warehouseJson } from '../warehouse-json.ts'

const decodeRequest = object({ 'undrop-ms': nullable(int64) })

/** POST warehouses/{warehouse}: how long dropped tables and views stay restorable; null: they do not. Errors: NoSuchWarehouse, Forbidden. */
export const updateWarehouse: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    const { path, body } = input
    const undropMs = undropMsOf(decodeJson(decodeRequest, body ?? {})['undrop-ms'] ?? undefined)
    return context.store.transact(async (tx) => {
      const { undropMs: _before, ...warehouse } = await resolveWarehouse(tx, path['warehouse'])
      await requireUse(context, input, warehouse)
      const changed: Warehouse = { ...warehouse, ...(undropMs !== undefined && { undropMs }) }
      tx.put(warehouseKey(warehouse.name), encodeRow(changed))
      return { kind: 'json', body: warehouseJson(changed) }
    })
  },
}

import { warehouseKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { resolveWarehouse } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse } from '../warehouse-json.ts'

/** DELETE warehouses/{warehouse}/policy; one that is not there is gone. Errors: NoSuchWarehouse, Forbidden. */
export const deleteWarehousePolicy: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    return context.store.transact(async (tx) => {
      const warehouse = await resolveWarehouse(tx, input.path['warehouse'])
      await requireUse(context, input, warehouse)
      const { policy: _policy, ...rest } = warehouse
      tx.put(warehouseKey(warehouse.name), encodeRow(rest))
      return { kind: 'empty' }
    })
  },
}

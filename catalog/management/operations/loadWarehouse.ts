import { resolveWarehouse } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse, warehouseJson } from '../warehouse-json.ts'

/** GET warehouses/{warehouse}. Errors: NoSuchWarehouse, Forbidden. */
export const loadWarehouse: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    const warehouse = await resolveWarehouse(context.store, input.path['warehouse'])
    await requireUse(context, input, warehouse)
    return { kind: 'json', body: warehouseJson(warehouse) }
  },
}

import { resolveWarehouse } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { forbidden, ownsWarehouse, warehouseJson } from '../warehouse-json.ts'

/** GET warehouses/{warehouse}. Errors: NoSuchWarehouse, Forbidden. */
export const loadWarehouse: ServerOperation = {
  kind: 'server',
  async run({ path, caller }, { store }) {
    const warehouse = await resolveWarehouse(store, path['warehouse'])
    if (!ownsWarehouse(caller, warehouse)) throw forbidden()
    return { kind: 'json', body: warehouseJson(warehouse) }
  },
}

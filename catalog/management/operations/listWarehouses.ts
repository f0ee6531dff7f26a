import { listWarehouses as readWarehouses, maxWarehouses } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { ownsWarehouse, warehouseJson } from '../warehouse-json.ts'

/** GET warehouses: those of the caller; root sees all. */
export const listWarehouses: ServerOperation = {
  kind: 'server',
  async run({ caller }, { store }) {
    const warehouses = await readWarehouses(store, maxWarehouses)
    return { kind: 'json', body: { warehouses: warehouses.filter((warehouse) => ownsWarehouse(caller, warehouse)).map(warehouseJson) } }
  },
}

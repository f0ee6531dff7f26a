import { listWarehouses as readWarehouses, maxWarehouses } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import type { Warehouse } from '../../rows/rows.ts'
import { mayUse, warehouseJson } from '../warehouse-json.ts'

/** GET warehouses: those that the caller may load. */
export const listWarehouses: ServerOperation = {
  kind: 'server',
  async run({ caller }, context) {
    const visible: Warehouse[] = []
    for (const warehouse of await readWarehouses(context.store, maxWarehouses)) if (await mayUse(context, 'loadWarehouse', caller, warehouse)) visible.push(warehouse)
    return { kind: 'json', body: { warehouses: visible.map(warehouseJson) } }
  },
}

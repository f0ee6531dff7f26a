import { CatalogError } from '../../errors.ts'
import { key, rangeOf, warehouseKey } from '../../rows/keys.ts'
import { resolveWarehouse } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse } from '../warehouse-json.ts'

/** DELETE warehouses/{warehouse}: it must hold nothing, not even what can be restored; its bucket stays. Errors: NoSuchWarehouse, WarehouseNotEmpty, Forbidden. */
export const dropWarehouse: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    const { path } = input
    return context.store.transact(async (tx) => {
      const warehouse = await resolveWarehouse(tx, path['warehouse'])
      await requireUse(context, input, warehouse)
      for (const kind of ['n', 'd'] as const) {
        const range = rangeOf(key(kind, warehouse.name))
        if ((await tx.list({ ...range, limit: 1 })).length > 0) throw new CatalogError('WarehouseNotEmpty', `Warehouse is not empty: ${warehouse.name}`)
        tx.requireEmpty(range)
      }
      tx.delete(warehouseKey(warehouse.name))
      tx.emit({ type: 'iceberg:DropWarehouse', subject: warehouse.name, detail: { warehouse: warehouse.name } })
      return { kind: 'empty' }
    })
  },
}

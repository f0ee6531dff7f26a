import { CatalogError } from '../../errors.ts'
import { resolveWarehouse } from '../../warehouses.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse } from '../warehouse-json.ts'

/** GET warehouses/{warehouse}/policy. Errors: NoSuchWarehouse, Forbidden, NotFound (it has none). */
export const getWarehousePolicy: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    const warehouse = await resolveWarehouse(context.store, input.path['warehouse'])
    await requireUse(context, input, warehouse)
    if (warehouse.policy === undefined) throw new CatalogError('NotFound', 'The warehouse has no policy')
    return { kind: 'json', body: { resourcePolicy: warehouse.policy } }
  },
}

import { decodeRequest as decodeJson } from '../../rest/operation.ts'
import { warehouseKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { resolveWarehouse } from '../../warehouses.ts'
import { decodePolicyRequest } from '../policy-request.ts'
import type { ServerOperation } from '../server-operation.ts'
import { requireUse } from '../warehouse-json.ts'

/** PUT warehouses/{warehouse}/policy: about the warehouse and all in it, in force for the next request. Errors: NoSuchWarehouse, Forbidden, BadRequest. */
export const putWarehousePolicy: ServerOperation = {
  kind: 'server',
  async run(input, context) {
    return context.store.transact(async (tx) => {
      const warehouse = await resolveWarehouse(tx, input.path['warehouse'])
      await requireUse(context, input, warehouse)
      const { resourcePolicy: policy } = decodeJson(decodePolicyRequest, input.body ?? {})
      context.checkPolicy(policy, { warehouse: warehouse.name })
      tx.put(warehouseKey(warehouse.name), encodeRow({ ...warehouse, policy }))
      return { kind: 'empty' }
    })
  },
}

import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { tableOf, type Mutation } from '../../rest/operation.ts'

/** DELETE tables/{table}/policy; one that is not there is gone. Errors: NoSuchTable. */
export const deleteTablePolicy: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = tableOf(input)
    return async (tx) => {
      const { policy: _policy, ...row } = await requireTable(tx, warehouse, named)
      tx.put(tableKey(warehouse.name, named), encodeRow(row))
      return { kind: 'empty' }
    }
  },
}

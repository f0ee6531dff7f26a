import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { decodeBody, tableOf, type Mutation } from '../../rest/operation.ts'
import { decodePolicyRequest } from '../policy-request.ts'

/** PUT tables/{table}/policy: in force for the next request; stays with the table through renames. Errors: NoSuchTable, BadRequest. */
export const putTablePolicy: Mutation = {
  kind: 'mutation',
  prepare(input, { checkPolicy }) {
    const { warehouse } = input
    const named = tableOf(input)
    const { resourcePolicy: policy } = decodeBody(decodePolicyRequest, input)
    return async (tx) => {
      const row = await requireTable(tx, warehouse, named)
      checkPolicy(policy, { warehouse: warehouse.name, table: { ...named, uuid: row.uuid } })
      tx.put(tableKey(warehouse.name, named), encodeRow({ ...row, policy }))
      return { kind: 'empty' }
    }
  },
}

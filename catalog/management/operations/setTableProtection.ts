import { boolean, object } from '../../json/decode.ts'
import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { decodeBody, tableOf, type Mutation } from '../../rest/operation.ts'

const decodeRequest = object({ protected: boolean })

/** POST tables/{table}/protection: while it is protected, it cannot be dropped. Errors: NoSuchTable. */
export const setTableProtection: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = tableOf(input)
    const request = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireTable(tx, warehouse, named)
      tx.put(tableKey(warehouse.name, named), encodeRow({ ...row, protected: request.protected }))
      return { kind: 'empty' }
    }
  },
}

import { boolean, object } from '../../json/decode.ts'
import { viewKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireView } from '../../tables.ts'
import { decodeBody, viewOf, type Mutation } from '../../rest/operation.ts'

const decodeRequest = object({ protected: boolean })

/** POST views/{view}/protection: while it is protected, it cannot be dropped. Errors: NoSuchView. */
export const setViewProtection: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = viewOf(input)
    const request = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireView(tx, warehouse, named)
      tx.put(viewKey(warehouse.name, named), encodeRow({ ...row, protected: request.protected }))
      return { kind: 'empty' }
    }
  },
}

import { boolean, object } from '../../json/decode.ts'
import { namespaceKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../../rest/operation.ts'

const decodeRequest = object({ protected: boolean })

/** POST namespaces/{namespace}/protection: while it is protected, it cannot be dropped. Errors: NoSuchNamespace. */
export const setNamespaceProtection: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = namespaceOf(input)
    const request = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireNamespace(tx, warehouse, named)
      tx.put(namespaceKey(warehouse.name, named), encodeRow({ ...row, protected: request.protected }))
      return { kind: 'empty' }
    }
  },
}

import { anyJson } from '../../json/decode.ts'
import { functionKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { decodeFunctionMetadata } from '../../spec/function-metadata.ts'
import { emitChange, requireNamespace } from '../../tables.ts'
import { decodeBody, identifierOf, type Mutation } from '../../rest/operation.ts'

/** PUT functions/{function}: creates or replaces a function's metadata. Errors: NoSuchNamespace, Validation. */
export const storeFunction: Mutation = {
  kind: 'mutation',
  prepare(input, { clock }) {
    const { warehouse } = input
    const identifier = identifierOf(input, 'function')
    decodeBody(decodeFunctionMetadata, input)
    const metadata = decodeBody(anyJson, input)
    return async (tx) => {
      await requireNamespace(tx, warehouse, identifier.namespace)
      tx.put(functionKey(warehouse.name, identifier), encodeRow({ metadata, updatedAtMs: clock.nowMs() }))
      emitChange(tx, 'StoreFunction', warehouse, [...identifier.namespace, identifier.name])
      return { kind: 'json', body: { metadata } }
    }
  },
}

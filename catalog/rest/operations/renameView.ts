import { object } from '../../json/decode.ts'
import { viewKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { decodeIdentifier, sameIdentifier } from '../../spec/identifier.ts'
import { emitChange, requireFreeDestination, requireNamespace, requireView } from '../../tables.ts'
import { decodeBody, type Mutation } from '../operation.ts'

const decodeRequest = object({ source: decodeIdentifier, destination: decodeIdentifier })

/** POST views/rename, also across namespaces. Errors: NoSuchView, NoSuchNamespace, AlreadyExists. */
export const renameView: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const { source, destination } = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireView(tx, warehouse, source)
      await requireNamespace(tx, warehouse, destination.namespace)
      if (sameIdentifier(source, destination)) return { kind: 'empty' }
      await requireFreeDestination(tx, warehouse, source, destination)
      tx.delete(viewKey(warehouse.name, source))
      tx.put(viewKey(warehouse.name, destination), encodeRow(row))
      emitChange(tx, 'RenameView', warehouse, [...source.namespace, source.name], { uuid: row.uuid, destination })
      return { kind: 'empty' }
    }
  },
}

import { object } from '../../json/decode.ts'
import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { decodeIdentifier, sameIdentifier } from '../../spec/identifier.ts'
import { emitChange, requireFreeDestination, requireNamespace, requireTable } from '../../tables.ts'
import { decodeBody, type Mutation } from '../operation.ts'

const decodeRequest = object({ source: decodeIdentifier, destination: decodeIdentifier })

/** POST tables/rename, also across namespaces; its files stay where they are. Errors: NoSuchTable, NoSuchNamespace, AlreadyExists. */
export const renameTable: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const { source, destination } = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireTable(tx, warehouse, source)
      await requireNamespace(tx, warehouse, destination.namespace)
      if (sameIdentifier(source, destination)) return { kind: 'empty' }
      await requireFreeDestination(tx, warehouse, source, destination)
      tx.delete(tableKey(warehouse.name, source))
      tx.put(tableKey(warehouse.name, destination), encodeRow(row))
      emitChange(tx, 'RenameTable', warehouse, [...source.namespace, source.name], { uuid: row.uuid, destination })
      return { kind: 'empty' }
    }
  },
}

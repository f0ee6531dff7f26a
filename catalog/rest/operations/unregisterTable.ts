import { CatalogError } from '../../errors.ts'
import { tableKey } from '../../rows/keys.ts'
import { fileOf } from '../../rows/rows.ts'
import { identifierText } from '../../spec/identifier.ts'
import { emitChange, requireTable } from '../../tables.ts'
import { tableOf, type Mutation } from '../operation.ts'

/** POST tables/{table}/unregister: the catalog forgets the table, its files stay. Errors: NoSuchTable, Protected. */
export const unregisterTable: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const identifier = tableOf(input)
    return async (tx) => {
      const row = await requireTable(tx, warehouse, identifier)
      if (row.protected === true) throw new CatalogError('Protected', `Table is protected: ${identifierText(identifier)}`)
      tx.delete(tableKey(warehouse.name, identifier))
      await tx.unpinFile(row.metadataLocation)
      emitChange(tx, 'UnregisterTable', warehouse, [...identifier.namespace, identifier.name], { uuid: row.uuid, metadataLocation: row.metadataLocation })
      return { kind: 'table', identifier, ...fileOf(row), form: 'unregister' }
    }
  },
}

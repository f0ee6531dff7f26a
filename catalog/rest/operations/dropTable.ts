import { CatalogError } from '../../errors.ts'
import { tableKey } from '../../rows/keys.ts'
import { identifierText } from '../../spec/identifier.ts'
import { emitChange, requireTable } from '../../tables.ts'
import { booleanQuery, tableOf, type Mutation } from '../operation.ts'

/**
 * DELETE tables/{table}. Without `purgeRequested` its files stay. Errors: NoSuchTable, Protected.
 */
export const dropTable: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const identifier = tableOf(input)
    const purge = booleanQuery(input, 'purgeRequested')
    return async (tx) => {
      const row = await requireTable(tx, warehouse, identifier)
      if (row.protected === true) throw new CatalogError('Protected', `Table is protected: ${identifierText(identifier)}`)
      tx.delete(tableKey(warehouse.name, identifier))
      emitChange(tx, 'DropTable', warehouse, [...identifier.namespace, identifier.name], { uuid: row.uuid, metadataLocation: row.metadataLocation, purge })
      return { kind: 'empty' }
    }
  },
}

import { CatalogError } from '../../errors.ts'
import { tableKey } from '../../rows/keys.ts'
import { identifierText } from '../../spec/identifier.ts'
import { recordDrop } from '../../drops.ts'
import { emitChange, requireTable } from '../../tables.ts'
import { booleanQuery, tableOf, type Mutation } from '../operation.ts'

/**
 * DELETE tables/{table}. Without `purgeRequested` its files stay; with it a background job deletes what
 * its metadata reaches, once it can no longer be restored. Errors: NoSuchTable, Protected.
 */
export const dropTable: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const identifier = tableOf(input)
    const purge = booleanQuery(input, 'purgeRequested')
    return async (tx) => {
      const row = await requireTable(tx, warehouse, identifier)
      if (row.protected === true) throw new CatalogError('Protected', `Table is protected: ${identifierText(identifier)}`)
      tx.delete(tableKey(warehouse.name, identifier))
      await recordDrop(tx, context, warehouse, { kind: 'table', identifier, pointer: row, purge })
      emitChange(tx, 'DropTable', warehouse, [...identifier.namespace, identifier.name], { uuid: row.uuid, metadataLocation: row.metadataLocation, purge })
      return { kind: 'empty' }
    }
  },
}

import { CatalogError } from '../../errors.ts'
import { viewKey } from '../../rows/keys.ts'
import { identifierText } from '../../spec/identifier.ts'
import { recordDrop } from '../../drops.ts'
import { emitChange, requireView } from '../../tables.ts'
import { viewOf, type Mutation } from '../operation.ts'

/** DELETE views/{view}; its metadata files stay. Errors: NoSuchView, Protected. */
export const dropView: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const identifier = viewOf(input)
    return async (tx) => {
      const row = await requireView(tx, warehouse, identifier)
      if (row.protected === true) throw new CatalogError('Protected', `View is protected: ${identifierText(identifier)}`)
      tx.delete(viewKey(warehouse.name, identifier))
      await recordDrop(tx, context, warehouse, { kind: 'view', identifier, pointer: row, purge: false })
      emitChange(tx, 'DropView', warehouse, [...identifier.namespace, identifier.name], { uuid: row.uuid, metadataLocation: row.metadataLocation })
      return { kind: 'empty' }
    }
  },
}

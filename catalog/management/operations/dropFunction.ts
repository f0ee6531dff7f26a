import { CatalogError } from '../../errors.ts'
import { functionKey } from '../../rows/keys.ts'
import { readFunction } from '../../rows/rows.ts'
import { identifierText } from '../../spec/identifier.ts'
import { emitChange } from '../../tables.ts'
import { identifierOf, type Mutation } from '../../rest/operation.ts'

/** DELETE functions/{function}. Errors: NoSuchFunction. */
export const dropFunction: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const identifier = identifierOf(input, 'function')
    return async (tx) => {
      if ((await readFunction(tx, warehouse.name, identifier)) === undefined) {
        throw new CatalogError('NoSuchFunction', `Function does not exist: ${identifierText(identifier)}`)
      }
      tx.delete(functionKey(warehouse.name, identifier))
      emitChange(tx, 'DropFunction', warehouse, [...identifier.namespace, identifier.name])
      return { kind: 'empty' }
    }
  },
}

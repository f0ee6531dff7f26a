import { CatalogError } from '../../errors.ts'
import { childrenPrefix, namespaceKey, rangeOf } from '../../rows/keys.ts'
import { namespaceText } from '../../spec/identifier.ts'
import { emitChange, requireNamespace } from '../../tables.ts'
import { namespaceOf, type Mutation } from '../operation.ts'

/** DELETE namespaces/{namespace}: it must hold nothing. Errors: NoSuchNamespace, NamespaceNotEmpty, Protected. */
export const dropNamespace: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const namespace = namespaceOf(input)
    return async (tx) => {
      const row = await requireNamespace(tx, warehouse, namespace)
      if (row.protected === true) throw new CatalogError('Protected', `Namespace is protected: ${namespaceText(namespace)}`)
      for (const kind of ['n', 't', 'v', 'f'] as const) {
        const range = rangeOf(childrenPrefix(kind, warehouse.name, namespace))
        if ((await tx.list({ ...range, limit: 1 })).length > 0) {
          throw new CatalogError('NamespaceNotEmpty', `Namespace is not empty: ${namespaceText(namespace)}`)
        }
        tx.requireEmpty(range)
      }
      tx.delete(namespaceKey(warehouse.name, namespace))
      emitChange(tx, 'DropNamespace', warehouse, namespace)
      return { kind: 'empty' }
    }
  },
}

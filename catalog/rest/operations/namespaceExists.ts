import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'

/** HEAD namespaces/{namespace}. Errors: NoSuchNamespace. */
export const namespaceExists: Query = {
  kind: 'query',
  async run(input, { store }) {
    await requireNamespace(store, input.warehouse, namespaceOf(input))
    return { kind: 'empty' }
  },
}

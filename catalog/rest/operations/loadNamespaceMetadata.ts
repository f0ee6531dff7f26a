import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'

/** GET namespaces/{namespace}. Errors: NoSuchNamespace. */
export const loadNamespaceMetadata: Query = {
  kind: 'query',
  async run(input, { store }) {
    const namespace = namespaceOf(input)
    const { properties } = await requireNamespace(store, input.warehouse, namespace)
    return { kind: 'json', body: { namespace, properties } }
  },
}

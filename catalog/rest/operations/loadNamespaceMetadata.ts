import { namespaceLocation } from '../../locations.ts'
import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'

/**
 * GET namespaces/{namespace}. Errors: NoSuchNamespace.
 * `location` is always among the properties: Trino stages new tables only in namespaces that have one, and fails in others.
 */
export const loadNamespaceMetadata: Query = {
  kind: 'query',
  async run(input, { store }) {
    const namespace = namespaceOf(input)
    const { properties } = await requireNamespace(store, input.warehouse, namespace)
    const location = namespaceLocation(input.warehouse, namespace, properties)
    return { kind: 'json', body: { namespace, properties: { location, ...properties } } }
  },
}

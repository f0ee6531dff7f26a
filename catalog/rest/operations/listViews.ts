import { childrenPrefix } from '../../rows/keys.ts'
import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'
import { listNames } from '../pagination.ts'

/** GET namespaces/{namespace}/views. Errors: NoSuchNamespace. */
export const listViews: Query = {
  kind: 'query',
  async run(input, { store }) {
    const namespace = namespaceOf(input)
    await requireNamespace(store, input.warehouse, namespace)
    const isVisible = (name: string) => input.sees('loadView', { kind: 'view', role: 'itself', namespace, name })
    const { names, nextPageToken } = await listNames(store, childrenPrefix('v', input.warehouse.name, namespace), input, isVisible)
    return { kind: 'json', body: { 'next-page-token': nextPageToken, identifiers: names.map((name) => ({ namespace, name })) } }
  },
}

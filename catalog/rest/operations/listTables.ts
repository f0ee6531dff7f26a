import { childrenPrefix } from '../../rows/keys.ts'
import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'
import { listNames } from '../pagination.ts'

/** GET namespaces/{namespace}/tables. Errors: NoSuchNamespace. */
export const listTables: Query = {
  kind: 'query',
  async run(input, { store }) {
    const namespace = namespaceOf(input)
    await requireNamespace(store, input.warehouse, namespace)
    const isVisible = (name: string) => input.sees('loadTable', { kind: 'table', role: 'itself', namespace, name })
    const { names, nextPageToken } = await listNames(store, childrenPrefix('t', input.warehouse.name, namespace), input, isVisible)
    return { kind: 'json', body: { 'next-page-token': nextPageToken, identifiers: names.map((name) => ({ namespace, name })) } }
  },
}

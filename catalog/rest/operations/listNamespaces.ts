import { parseNamespaceText } from '../../spec/identifier.ts'
import { childrenPrefix } from '../../rows/keys.ts'
import { requireNamespace } from '../../tables.ts'
import type { Query } from '../operation.ts'
import { listNames } from '../pagination.ts'

/** GET namespaces: the children of `parent`, or the outermost ones. Errors: NoSuchNamespace. */
export const listNamespaces: Query = {
  kind: 'query',
  async run(input, { store }) {
    const { warehouse, query } = input
    const parent = query['parent'] === undefined || query['parent'] === '' ? [] : parseNamespaceText(query['parent'])
    if (parent.length > 0) await requireNamespace(store, warehouse, parent)
    const isVisible = (name: string) => input.sees('loadNamespaceMetadata', { kind: 'namespace', role: 'itself', namespace: [...parent, name], name: undefined })
    const { names, nextPageToken } = await listNames(store, childrenPrefix('n', warehouse.name, parent), input, isVisible)
    return { kind: 'json', body: { 'next-page-token': nextPageToken, namespaces: names.map((name) => [...parent, name]) } }
  },
}

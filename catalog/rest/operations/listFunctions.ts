import { childrenPrefix } from '../../rows/keys.ts'
import { requireNamespace } from '../../tables.ts'
import { namespaceOf, type Query } from '../operation.ts'
import { listNames } from '../pagination.ts'

/** GET namespaces/{namespace}/functions: identifiers are lists of levels, the name last. Errors: NoSuchNamespace. */
export const listFunctions: Query = {
  kind: 'query',
  async run(input, { store }) {
    const namespace = namespaceOf(input)
    await requireNamespace(store, input.warehouse, namespace)
    const isVisible = (name: string) => input.sees('loadFunction', { kind: 'function', role: 'itself', namespace, name })
    const { names, nextPageToken } = await listNames(store, childrenPrefix('f', input.warehouse.name, namespace), input, isVisible)
    return { kind: 'json', body: { 'next-page-token': nextPageToken, identifiers: names.map((name) => [...namespace, name]) } }
  },
}

import { CatalogError } from '../../errors.ts'
import { readFunction } from '../../rows/rows.ts'
import { identifierText } from '../../spec/identifier.ts'
import { requireNamespace } from '../../tables.ts'
import { identifierOf, type Query } from '../operation.ts'

/** GET namespaces/{namespace}/functions/{function}. Errors: NoSuchNamespace, NoSuchFunction. */
export const loadFunction: Query = {
  kind: 'query',
  async run(input, { store }) {
    const identifier = identifierOf(input, 'function')
    await requireNamespace(store, input.warehouse, identifier.namespace)
    const row = await readFunction(store, input.warehouse.name, identifier)
    if (row === undefined) throw new CatalogError('NoSuchFunction', `Function does not exist: ${identifierText(identifier)}`)
    return { kind: 'json', body: { metadata: row.metadata } }
  },
}

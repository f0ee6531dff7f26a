import { CatalogError } from '../../errors.ts'
import { requireTable } from '../../tables.ts'
import { tableOf, type Query } from '../../rest/operation.ts'

/** GET tables/{table}/policy. Errors: NoSuchTable, NotFound (it has none). */
export const getTablePolicy: Query = {
  kind: 'query',
  async run(input, { store }) {
    const { policy } = await requireTable(store, input.warehouse, tableOf(input))
    if (policy === undefined) throw new CatalogError('NotFound', 'The table has no policy')
    return { kind: 'json', body: { resourcePolicy: policy } }
  },
}

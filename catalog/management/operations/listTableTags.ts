import { requireTable } from '../../tables.ts'
import { tableOf, type Query } from '../../rest/operation.ts'

/** GET tables/{table}/tags. Errors: NoSuchTable. */
export const listTableTags: Query = {
  kind: 'query',
  async run(input, { store }) {
    const { tags = {} } = await requireTable(store, input.warehouse, tableOf(input))
    return { kind: 'json', body: { tags: { ...tags } } }
  },
}

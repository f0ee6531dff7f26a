import { requireTable } from '../../tables.ts'
import { tableOf, type Query } from '../operation.ts'

/** HEAD tables/{table}. Errors: NoSuchTable. */
export const tableExists: Query = {
  kind: 'query',
  async run(input, { store }) {
    await requireTable(store, input.warehouse, tableOf(input))
    return { kind: 'empty' }
  },
}

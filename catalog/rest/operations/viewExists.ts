import { requireView } from '../../tables.ts'
import { viewOf, type Query } from '../operation.ts'

/** HEAD views/{view}. Errors: NoSuchView. */
export const viewExists: Query = {
  kind: 'query',
  async run(input, { store }) {
    await requireView(store, input.warehouse, viewOf(input))
    return { kind: 'empty' }
  },
}

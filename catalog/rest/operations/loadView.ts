import { requireView } from '../../tables.ts'
import { referencedBy } from '../referenced-by.ts'
import { viewOf, type Query } from '../operation.ts'

/** GET views/{view}. Errors: NoSuchView, NotFound (its metadata file is gone). */
export const loadView: Query = {
  kind: 'query',
  async run(input, { store }) {
    const identifier = viewOf(input)
    referencedBy(input)
    const { metadataLocation } = await requireView(store, input.warehouse, identifier)
    return { kind: 'view', identifier, metadataLocation }
  },
}

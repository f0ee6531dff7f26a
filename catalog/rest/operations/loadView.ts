import { fileOf } from '../../rows/rows.ts'
import { requireView } from '../../tables.ts'
import { referencedBy } from '../referenced-by.ts'
import { viewOf, type Query } from '../operation.ts'

/** GET views/{view}. Errors: NoSuchView, NotFound (its metadata file is gone). */
export const loadView: Query = {
  kind: 'query',
  async run(input, { store }) {
    const identifier = viewOf(input)
    referencedBy(input)
    return { kind: 'view', identifier, ...fileOf(await requireView(store, input.warehouse, identifier)) }
  },
}

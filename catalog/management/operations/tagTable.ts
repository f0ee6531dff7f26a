import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { tableOf, type Mutation } from '../../rest/operation.ts'
import { requireFew, tagsIn } from '../table-tags.ts'

/** POST tables/{table}/tags: adds tags, or changes their values. Errors: NoSuchTable, BadRequest. */
export const tagTable: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = tableOf(input)
    const added = tagsIn(input.body)
    return async (tx) => {
      const row = await requireTable(tx, warehouse, named)
      const tags = { ...row.tags, ...added }
      requireFew(tags)
      tx.put(tableKey(warehouse.name, named), encodeRow({ ...row, tags }))
      return { kind: 'json', body: { tags } }
    }
  },
}

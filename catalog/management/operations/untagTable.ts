import { tableKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { tableOf, type Mutation } from '../../rest/operation.ts'
import { tagNamesIn } from '../table-tags.ts'

/** DELETE tables/{table}/tags?tagKeys=a,b: takes tags away; those that are not there are none. Errors: NoSuchTable, BadRequest. */
export const untagTable: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const named = tableOf(input)
    const removed = new Set(tagNamesIn(input.query))
    return async (tx) => {
      const { tags: before = {}, ...row } = await requireTable(tx, warehouse, named)
      const tags = Object.fromEntries(Object.entries(before).filter(([name]) => !removed.has(name)))
      tx.put(tableKey(warehouse.name, named), encodeRow({ ...row, tags }))
      return { kind: 'empty' }
    }
  },
}

import type { Json } from '../../json/json.ts'
import { key, nameOfKey, rangeOf } from '../../rows/keys.ts'
import { decodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { decodeToken, encodeToken, pageSizeOf } from '../../rest/pagination.ts'
import { tableOf, type Query } from '../../rest/operation.ts'

/** GET tables/{table}/metrics: the reports on a table, oldest first, by pages. Errors: NoSuchTable. */
export const listMetrics: Query = {
  kind: 'query',
  async run(input, { store }) {
    const { warehouse, query } = input
    const { uuid } = await requireTable(store, warehouse, tableOf(input))
    const pageSize = pageSizeOf(input)
    const after = query['pageToken'] === undefined || query['pageToken'] === '' ? undefined : decodeToken(query['pageToken'])
    const rows = await store.list({ ...rangeOf(key('m', warehouse.name, uuid), after), limit: pageSize + 1 })
    const page = rows.slice(0, pageSize)
    const last = page.at(-1)
    return {
      kind: 'json',
      body: {
        'next-page-token': rows.length > pageSize && last !== undefined ? encodeToken(nameOfKey(last.key)) : null,
        reports: page.map(({ value }) => decodeRow<Record<string, Json>>(value)),
      },
    }
  },
}

import type { Json } from '../../json/json.ts'
import { key, nameOfKey, rangeOf } from '../../rows/keys.ts'
import { decodeRow } from '../../rows/rows.ts'
import type { DroppedRow } from '../../drops.ts'
import { decodeToken, encodeToken, pageSizeOf } from '../../rest/pagination.ts'
import type { Query } from '../../rest/operation.ts'

/** GET dropped: the tables and views that can still be restored, by pages. */
export const listDropped: Query = {
  kind: 'query',
  async run(input, { store }) {
    const { warehouse, query } = input
    const pageSize = pageSizeOf(input)
    const after = query['pageToken'] === undefined || query['pageToken'] === '' ? undefined : decodeToken(query['pageToken'])
    const rows = await store.list({ ...rangeOf(key('d', warehouse.name), after), limit: pageSize + 1 })
    const page = rows.slice(0, pageSize)
    const dropped: Json[] = []
    for (const { value } of page) {
      const row = decodeRow<DroppedRow>(value)
      const { kind, identifier, pointer } = row
      if (await input.sees('listDropped', { kind, role: 'itself', ...identifier, uuid: pointer.uuid })) dropped.push(describe(row))
    }
    const last = page.at(-1)
    return {
      kind: 'json',
      body: {
        'next-page-token': rows.length > pageSize && last !== undefined ? encodeToken(nameOfKey(last.key)) : null,
        dropped,
      },
    }
  },
}

function describe({ kind, identifier, pointer, droppedAtMs, restorableUntilMs }: DroppedRow): Json {
  return {
    kind,
    identifier: { namespace: identifier.namespace, name: identifier.name },
    uuid: pointer.uuid,
    'metadata-location': pointer.metadataLocation,
    'dropped-at-ms': droppedAtMs,
    'restorable-until-ms': restorableUntilMs,
  }
}

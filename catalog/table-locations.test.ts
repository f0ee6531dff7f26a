import { expect, test } from 'vitest'
import { tableKey } from './rows/keys.ts'
import { encodeRow, type RowReader } from './rows/rows.ts'
import { filesOfNobodyElse } from './table-locations.ts'

/** So many tables in one warehouse, one after the other. */
function readerOf(tables: number): RowReader {
  const page = Array.from({ length: 1000 }, (_, index) => ({
    key: tableKey('lake', { namespace: ['db'], name: String(index) }),
    value: encodeRow({ uuid: `u${index}`, location: `s3://lake/db/${index}`, metadataLocation: '' }),
  }))
  let left = tables
  return {
    get: async () => undefined,
    list: async ({ limit }) => {
      const rows = page.slice(0, Math.min(limit, left))
      left -= rows.length
      return rows
    },
  }
}

test('of more tables than are looked through no file is known to be nobody else’s', async () => {
  const gone = { uuid: 'gone', location: 's3://lake/db' }
  const isUnshared = await filesOfNobodyElse(readerOf(2000), 'lake', gone)
  expect(isUnshared?.('s3://lake/db/a')).toBe(true)
  expect(isUnshared?.('s3://lake/db/7/a')).toBe(false)
  expect(await filesOfNobodyElse(readerOf(200_001), 'lake', gone)).toBeUndefined()
})

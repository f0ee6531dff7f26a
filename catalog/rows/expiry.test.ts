import { expect, test } from 'vitest'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { expireRows, putExpiring } from './expiry.ts'
import { key } from './keys.ts'

test('rows go when they are due, so many at a time, and leave nothing of the index', async () => {
  const store = new MemoryCatalogStore([])
  const rowOf = (index: number): Buffer => key('m', 'lake', `\u0000\u0001${index}`)
  await store.transact(async (tx) => {
    for (let index = 0; index < 10; index++) putExpiring(tx, rowOf(index), Buffer.from('x'), 1000 + index)
  })
  expect(store.rowCount).toBe(20)
  expect(await expireRows(store, 999, 100)).toBe(0)
  expect(await expireRows(store, 1005, 3)).toBe(3)
  expect(await expireRows(store, 1005, 100)).toBe(2)
  expect(await store.get(rowOf(4))).toBeUndefined()
  expect(await store.get(rowOf(5))).toBeDefined()
  expect(await expireRows(store, 10_000, 100)).toBe(5)
  expect(store.rowCount).toBe(0)
})

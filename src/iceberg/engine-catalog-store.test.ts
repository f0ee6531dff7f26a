import { afterEach, expect, test } from 'vitest'
import { catalogStoreSuite } from '../../catalog/catalog-store-suite.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

let scratch: ScratchEngine | undefined
afterEach(async () => {
  await scratch?.remove()
  scratch = undefined
})

catalogStoreSuite('engine', async () => {
  scratch = await openScratchEngine()
  await scratch.engine.createBucket({ bucket: 'lake', ownerId: 'a'.repeat(64), region: 'us-east-1' })
  return engineCatalogStore(scratch.engine)
})

test('a file that is too large to be metadata is not read into memory', async () => {
  scratch = await openScratchEngine()
  await scratch.engine.createBucket({ bucket: 'lake', ownerId: 'a'.repeat(64), region: 'us-east-1' })
  const store = engineCatalogStore(scratch.engine, { maxFileBytes: 10 })
  await store.transact((tx) => tx.putFile('s3://lake/small', Buffer.alloc(10), 'application/json'))
  await store.transact((tx) => tx.putFile('s3://lake/large', Buffer.alloc(11), 'application/json'))
  expect((await store.readFile('s3://lake/small')).length).toBe(10)
  await expect(store.readFile('s3://lake/large')).rejects.toMatchObject({ code: 'FileTooLarge' })
  await expect(store.readParts('s3://lake/large')).rejects.toMatchObject({ code: 'FileTooLarge' })
})

import { afterEach } from 'vitest'
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

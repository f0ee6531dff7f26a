import { catalogStoreSuite } from '../../catalog/catalog-store-suite.ts'
import { memoryEngine, owner } from '../../engine/objects/test-engine.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

catalogStoreSuite('engine', async () => {
  const { engine } = memoryEngine()
  await engine.createBucket({ bucket: 'lake', ownerId: owner, region: 'us-east-1' })
  return engineCatalogStore(engine)
})

import { catalogStoreSuite } from './catalog-store-suite.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'

catalogStoreSuite('memory', async () => new MemoryCatalogStore(['lake']))

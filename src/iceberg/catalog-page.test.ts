import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createCatalog, endpoints } from '../../catalog/index.ts'
import { openScratchEngine } from '../identity/scratch-engine.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

test('docs/catalog.md has a row for every operation beyond the specification, and for no other', async () => {
  const world = await openScratchEngine()
  try {
    const catalog = createCatalog({ store: engineCatalogStore(world.engine), clock: world.clock, random: world.random, settings: { idempotencyLifetimeMs: 1000 } })
    const served = [...catalog.endpoints].filter(([operationId]) => !Object.hasOwn(endpoints, operationId)).map(([operationId, { method, path }]) => [operationId, `${method} ${path}`])
    const page = readFileSync(new URL('../../docs/catalog.md', import.meta.url), 'utf8')
    const documented = [...page.matchAll(/^\| `(\w+)` \| `([A-Z]+ [^`]+)` \| \S/gm)].map(([, operationId, request]) => [operationId, request])
    expect(documented.sort()).toEqual(served.sort())
  } finally {
    await world.remove()
  }
})

import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { checkCatalog, CatalogStoreError } from '../../catalog/index.ts'
import { type AlsoCheck, EngineError, type Finding, openEngine } from '../../engine/index.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

/** The catalog's part of `fsck`: every table's pointer, metadata, manifest lists, manifests, data and delete files. */
export function fsckCatalog({ clock, random }: { readonly clock: Clock; readonly random: Random }): AlsoCheck {
  return async (stores) => {
    const isDamage = (error: unknown): boolean => error instanceof EngineError
    try {
      const { findings, tables, snapshots, files } = await checkCatalog(engineCatalogStore(openEngine({ ...stores, clock, random })), isDamage)
      return { findings: findings.map((finding): Finding => ({ ...finding, code: 'TableBroken' })), checked: { tables, snapshots, tableFiles: files } }
    } catch (error) {
      if (!(error instanceof EngineError || error instanceof CatalogStoreError)) throw error
      return { findings: [{ severity: 'lost', code: 'TableBroken', subject: 'the catalog', explanation: `its rows cannot be read: ${error.message}` }], checked: {} }
    }
  }
}

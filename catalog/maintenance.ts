import type { CatalogContext } from './context.ts'
import { CatalogStoreError } from './catalog-store.ts'
import { orderPurge, type DroppedRow, type PurgeRow } from './drops.ts'
import { CatalogError } from './errors.ts'
import { isInWarehouse } from './locations.ts'
import { eachSnapshot } from './archive/each-snapshot.ts'
import { loggedFiles } from './archive/metadata-log.ts'
import { readTableHead } from './metadata-cache.ts'
import { expireIdempotencyRecords } from './rest/idempotency.ts'
import { expireRows } from './rows/expiry.ts'
import { rangeOf } from './rows/keys.ts'
import { decodeRow, readWarehouse } from './rows/rows.ts'
import { readManifest, readManifestList, type ManifestFiles } from './scan/manifests.ts'
import type { TableMetadata } from './spec/table-metadata.ts'
import { filesOfNobodyElse } from './table-locations.ts'

export interface Maintained {
  readonly expiredRecords: number
  /** Scan plans and reports. */
  readonly expiredRows: number
  readonly expiredDrops: number
  readonly purgedTables: number
}

const batchSize = 500

/**
 * One bounded round of background work, safe on any worker at any time: what is out of date goes,
 * and the tables that were dropped with purge lose their files.
 */
export async function maintainCatalog(context: CatalogContext): Promise<Maintained> {
  const nowMs = context.clock.nowMs()
  return {
    expiredRecords: await expireIdempotencyRecords(context, batchSize),
    expiredRows: await expireRows(context.store, nowMs, batchSize),
    expiredDrops: await expireDrops(context, nowMs),
    purgedTables: await purgeTables(context),
  }
}

/** Rows of a kind, all of them, a page at a time. */
async function* rowsOf<T>({ store }: CatalogContext, kind: 'd' | 'q'): AsyncGenerator<{ readonly key: Uint8Array; readonly row: T }> {
  const { start: first, end } = rangeOf(Buffer.from(kind))
  let start = first
  for (;;) {
    const rows = await store.list({ start, end, limit: batchSize })
    for (const { key, value } of rows) yield { key, row: decodeRow<T>(value) }
    const last = rows.at(-1)
    if (last === undefined || rows.length < batchSize) return
    start = Buffer.concat([last.key, Buffer.from([0])])
  }
}

/** What can no longer be restored is forgotten; its files are to be purged when the drop asked for it. */
async function expireDrops(context: CatalogContext, nowMs: number): Promise<number> {
  let expired = 0
  for await (const { key, row } of rowsOf<DroppedRow>(context, 'd')) {
    if (row.restorableUntilMs > nowMs) continue
    await context.store.transact(async (tx) => {
      if ((await tx.get(key)) === undefined) return
      tx.delete(key)
      await tx.unpinFile(row.pointer.metadataLocation)
      const warehouse = row.purge ? await readWarehouse(tx, row.warehouse) : undefined
      if (warehouse !== undefined) orderPurge(tx, warehouse, row.pointer)
    })
    if (++expired >= batchSize) break
  }
  return expired
}

async function purgeTables(context: CatalogContext): Promise<number> {
  let purged = 0
  for await (const { key, row } of rowsOf<PurgeRow>(context, 'q')) {
    await purgeTable(context, row)
    await context.store.transact(async (tx) => tx.delete(key))
    if (++purged >= maxPurgesPerRound) break
  }
  return purged
}

const maxPurgesPerRound = 10

/**
 * Deletes what the table's metadata reaches and no other table has: data and delete files first, then
 * manifests, manifest lists, statistics, and at last the metadata files, so that a purge that is cut
 * short finds its way again. Files outside the warehouse stay, and are not read; so do data files where the table says that
 * it is not the only one to have them (`gc.enabled`), as the reference has it.
 */
async function purgeTable(context: CatalogContext, order: PurgeRow): Promise<void> {
  const { metadataLocation } = order
  const metadata = await present(readTableHead(context, order))
  if (metadata === undefined) return
  const { location, 'table-uuid': uuid } = metadata
  const isUnshared = await filesOfNobodyElse(context.store, order.warehouse, { uuid, location })
  if (isUnshared === undefined) return
  const remove = async (locations: Iterable<string>): Promise<void> => {
    const own = [...new Set(locations)].filter((file) => isInWarehouse(order, file) && isUnshared(file))
    for (let start = 0; start < own.length; start += batchSize) {
      await context.store.transact(async (tx) => {
        for (const file of own.slice(start, start + batchSize)) await tx.deleteFile(file)
      })
    }
  }
  const ownsData = metadata.properties['gc.enabled']?.toLowerCase() !== 'false'
  const manifests = new Set<string>()
  const files: ManifestFiles = { store: context.store, within: order }
  for await (const snapshot of eachSnapshot(context, order)) {
    for (const manifest of (await present(readManifestList(files, snapshot))) ?? []) {
      if (manifests.has(manifest.path)) continue
      manifests.add(manifest.path)
      if (ownsData) await remove(((await present(readManifest(files, manifest))) ?? []).map(({ file }) => file.path))
    }
  }
  await remove(manifests)
  let lists: string[] = []
  for await (const snapshot of eachSnapshot(context, order)) {
    if (snapshot['manifest-list'] !== undefined) lists.push(snapshot['manifest-list'])
    if (lists.length < batchSize) continue
    await remove(lists)
    lists = []
  }
  await remove(lists)
  await remove([...metadataFiles(metadata), ...await loggedFiles(context, metadataLocation, metadata)])
  await remove([metadataLocation])
}

function metadataFiles(metadata: TableMetadata): readonly string[] {
  return [
    ...metadata.statistics.map((file) => file['statistics-path']),
    ...metadata['partition-statistics'].map((file) => file['statistics-path']),
  ]
}

/** Undefined for a file that is gone or unreadable: there is nothing to be found through it. */
async function present<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof CatalogStoreError && ['FileNotFound', 'BadLocation', 'FileTooLarge'].includes(error.code)) return undefined
    if (error instanceof CatalogError && (error.code === 'NotFound' || error.code === 'Validation')) return undefined
    throw error
  }
}

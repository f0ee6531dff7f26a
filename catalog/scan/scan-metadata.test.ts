import { expect, test } from 'vitest'
import { ArchiveIndexes } from '../archive/archive-index.ts'
import type { Json } from '../json/json.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { MetadataCache, readTableMetadata } from '../metadata-cache.ts'
import { simpleSchema, testCatalog } from '../testing.ts'
import { readScanMetadata } from './scan-metadata.ts'
import { decodeScanRequest, understand } from './scan-request.ts'

test('a scan over a part of a long history is understood as over all of it', async () => {
  const store = new MemoryCatalogStore(['lake'])
  const world = await testCatalog(store, 'test', { ownListBytes: 500 })
  await world.call('createNamespace', { body: { namespace: ['db'] } })
  await world.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
  const count = 60
  let metadataLocation = ''
  for (let id = 1; id <= count; id++) {
    const snapshot: Json = { 'snapshot-id': id, ...(id > 1 && { 'parent-snapshot-id': id - 1 }), 'sequence-number': id, 'timestamp-ms': 1_700_000_000_000 + id, 'manifest-list': `s3://lake/${id}.avro`, summary: { operation: id % 5 === 0 ? 'delete' : 'append' } }
    const { body } = await world.call('updateTable', { path: { namespace: 'db', table: 't' }, body: { requirements: [], updates: [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }] } })
    metadataLocation = body['metadata-location'] as string
  }
  const reader = () => ({ store, cache: new MetadataCache(1_000_000), archiveIndexes: new ArchiveIndexes(1_000_000) })
  const whole = await readTableMetadata(reader(), { metadataLocation })
  for (const request of [{}, { 'snapshot-id': 3 }, { 'snapshot-id': 60 }, { 'end-snapshot-id': 41 }, { 'start-snapshot-id': 7, 'end-snapshot-id': 41 }, { 'start-snapshot-id': 58, 'end-snapshot-id': 60 }, { 'start-snapshot-id': 60, 'end-snapshot-id': 60 }]) {
    const decoded = decodeScanRequest(request, '')
    const read = await readScanMetadata(reader(), { metadataLocation }, decoded, 0)
    expect(understand(decoded, read).snapshots).toEqual(understand(decoded, whole).snapshots)
    if (request['end-snapshot-id'] === undefined) expect(read.snapshots.length).toBeLessThan(10)
  }
  for (const request of [{ 'snapshot-id': 99 }, { 'start-snapshot-id': 41, 'end-snapshot-id': 7 }, { 'start-snapshot-id': 99, 'end-snapshot-id': 7 }]) {
    const decoded = decodeScanRequest(request, '')
    const read = await readScanMetadata(reader(), { metadataLocation }, decoded, 0)
    expect(() => understand(decoded, read)).toThrow(/snapshot/i)
  }
})

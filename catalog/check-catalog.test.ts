import { expect, test } from 'vitest'
import { checkCatalog } from './check-catalog.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'
import { manifestBytes, manifestListBytes, type FixtureManifest } from './scan/manifest-fixture.ts'
import { simpleSchema, testCatalog } from './testing.ts'

const at = (name: string): string => `s3://lake/db/${name}`

/** A table with three snapshots of one file each, archived or not, and a view. */
async function open(ownListBytes: number) {
  const store = new MemoryCatalogStore(['lake'])
  const world = await testCatalog(store, 'test', { ownListBytes })
  await world.call('createNamespace', { body: { namespace: ['db'] } })
  const created = await world.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
  expect(created.status).toBe(200)
  const manifests: FixtureManifest[] = []
  for (const id of [1, 2, 3]) {
    const manifest = { path: at(`m${id}.avro`), sequenceNumber: id, snapshotId: id }
    manifests.push(manifest)
    store.writeFile(manifest.path, manifestBytes([{ path: at(`data-${id}`), partition: null }, { path: at('gone'), partition: null, status: 2 }]))
    store.writeFile(at(`data-${id}`), Buffer.from('x'))
    store.writeFile(at(`snap-${id}.avro`), manifestListBytes(manifests))
    const snapshot = { 'snapshot-id': id, ...(id > 1 && { 'parent-snapshot-id': id - 1 }), 'sequence-number': id, 'timestamp-ms': 1_700_000_000_000 + id, 'manifest-list': at(`snap-${id}.avro`), summary: { operation: 'append' } }
    const updates = [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }]
    expect((await world.call('updateTable', { path: { namespace: 'db', table: 't' }, body: { requirements: [], updates } })).status).toBe(200)
  }
  return store
}

const remove = (store: MemoryCatalogStore, location: string): Promise<void> => store.transact((tx) => tx.deleteFile(location))

test.each([['whole', Infinity], ['archived', 150]])('a catalog whose history is %s is followed to its last file', async (_, ownListBytes) => {
  const store = await open(ownListBytes)
  expect(await checkCatalog(store)).toEqual({ tables: 1, snapshots: 3, files: 9, elsewhere: 0, findings: [] })
  await remove(store, at('data-1'))
  await remove(store, at('m2.avro'))
  store.writeFile(at('snap-3.avro'), Buffer.from('not Avro'))
  const { findings, files } = await checkCatalog(store)
  expect(files).toBe(3)
  expect(findings.map(({ severity, subject, explanation }) => `${severity} ${subject}: ${explanation.slice(0, 60)}`)).toEqual([
    `wrong table lake.db.t: the data file ${at('data-1')} does not exist`,
    `wrong table lake.db.t: the manifest ${at('m2.avro')} does not exist`,
    expect.stringMatching(/^wrong table lake\.db\.t: the manifest list s3:\/\/lake\/db\/snap-3\.avro of snapshot 3/) as string,
  ])
})

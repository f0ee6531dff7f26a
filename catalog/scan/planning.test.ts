import { beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, testCatalog, type TestCatalog } from '../testing.ts'
import { manifestBytes, manifestListBytes, type FixtureFile, type FixtureManifest } from './manifest-fixture.ts'

const path = { namespace: 'db', table: 't' }
const at = (name: string): string => `s3://lake/db/${name}`

interface Planned {
  readonly status: string
  readonly 'plan-id'?: string
  readonly 'file-scan-tasks'?: readonly { readonly 'data-file': { readonly 'file-path': string; readonly partition: Json }; readonly 'delete-file-references'?: readonly number[] }[]
  readonly 'delete-files'?: readonly { readonly 'file-path': string }[]
  readonly 'plan-tasks'?: readonly string[]
}

describe('scan planning and purging', () => {
  let store: MemoryCatalogStore
  let world: TestCatalog
  let snapshots: number

  beforeEach(async () => {
    store = new MemoryCatalogStore(['lake'])
    world = await testCatalog(store)
    snapshots = 0
    await world.call('createNamespace', { body: { namespace: ['db'] } })
    const spec: Json = { fields: [{ 'source-id': 2, 'field-id': 1000, name: 'name', transform: 'identity' }] }
    await world.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema, 'partition-spec': spec } })
  })

  /** Commits a snapshot whose manifests hold these files; earlier manifests stay listed. */
  let listed: FixtureManifest[] = []
  async function commit(manifests: readonly { readonly content?: 0 | 1; readonly files: readonly FixtureFile[] }[], operation = 'append'): Promise<number> {
    const id = ++snapshots
    if (id === 1) listed = []
    for (const [index, { content, files }] of manifests.entries()) {
      const manifest = at(`m${id}-${index}.avro`)
      store.writeFile(manifest, manifestBytes(files))
      listed = [...listed, { path: manifest, ...(content !== undefined && { content }), sequenceNumber: id, snapshotId: id }]
      for (const file of files) store.writeFile(file.path, Buffer.from('x'))
    }
    store.writeFile(at(`snap-${id}.avro`), manifestListBytes(listed))
    const snapshot: Json = {
      'snapshot-id': id, ...(id > 1 && { 'parent-snapshot-id': id - 1 }), 'sequence-number': id, 'timestamp-ms': 1_700_000_000_000 + id,
      'manifest-list': at(`snap-${id}.avro`), summary: { operation },
    }
    const updates: Json = [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }]
    expect((await world.call('updateTable', { path, body: { requirements: [], updates } })).status).toBe(200)
    return id
  }

  async function plan(body: Json = {}): Promise<Planned> {
    const answer = await world.call('planTableScan', { path, body })
    expect(answer.status).toBe(200)
    return answer.body as unknown as Planned
  }

  /** Data file to the delete files that apply to it, by name. */
  function applied({ 'file-scan-tasks': tasks = [], 'delete-files': deletes = [] }: Planned): Record<string, readonly string[]> {
    const short = (location: string | undefined): string => location?.split('/').at(-1) ?? ''
    return Object.fromEntries(tasks.map((task) => [short(task['data-file']['file-path']), (task['delete-file-references'] ?? []).map((index) => short(deletes[index]?.['file-path'])).sort()]))
  }

  test('an empty table has nothing to scan', async () => {
    expect(await plan()).toMatchObject({ status: 'completed', 'file-scan-tasks': [] })
  })

  test('deletes are attached by partition, path and sequence number', async () => {
    await commit([{ files: [{ path: at('old-x'), partition: 'x' }, { path: at('old-y'), partition: 'y' }] }])
    await commit([{ content: 1, files: [
      { path: at('pos-x'), partition: 'x', content: 1 },
      { path: at('pos-old-y'), partition: 'y', content: 1, referencedDataFile: at('old-y') },
      { path: at('eq-x'), partition: 'x', content: 2, equalityIds: [1] },
    ] }, { files: [{ path: at('same-x'), partition: 'x' }, { path: at('same-y'), partition: 'y' }] }], 'overwrite')
    await commit([{ files: [{ path: at('new-x'), partition: 'x' }] }])
    expect(applied(await plan())).toEqual({
      'old-x': ['eq-x', 'pos-x'], 'old-y': ['pos-old-y'], 'same-x': ['pos-x'], 'same-y': [], 'new-x': [],
    })
    await commit([{ content: 1, files: [{ path: at('dv-old-x'), partition: 'x', content: 1, referencedDataFile: at('old-x'), contentOffset: 4 }] }], 'overwrite')
    expect(applied(await plan())['old-x']).toEqual(['dv-old-x', 'eq-x'])
  })

  test('a point in time, a filter, and what was appended between two snapshots', async () => {
    const first = await commit([{ files: [{ path: at('a'), partition: 'x' }, { path: at('gone'), partition: 'x', status: 2 }] }])
    await commit([{ files: [{ path: at('b'), partition: 'y' }] }])
    await commit([{ files: [{ path: at('c'), partition: 'y' }] }], 'overwrite')
    const last = await commit([{ files: [{ path: at('d'), partition: null }] }])
    expect(Object.keys(applied(await plan()))).toEqual(['a', 'b', 'c', 'd'])
    expect(Object.keys(applied(await plan({ 'snapshot-id': first })))).toEqual(['a'])
    expect(Object.keys(applied(await plan({ filter: { type: 'eq', term: 'name', value: 'y' } })))).toEqual(['b', 'c'])
    expect(Object.keys(applied(await plan({ filter: { type: 'is-null', term: 'name' } })))).toEqual(['d'])
    expect(Object.keys(applied(await plan({ 'start-snapshot-id': first, 'end-snapshot-id': last })))).toEqual(['b', 'd'])
    expect((await world.call('planTableScan', { path, body: { 'snapshot-id': 1, 'start-snapshot-id': 1, 'end-snapshot-id': 2 } })).status).toBe(400)
    expect((await world.call('planTableScan', { path, body: { 'snapshot-id': 99 } })).status).toBe(400)
  })

  test('many manifests are handed out as plan tasks, and a cancelled plan is gone', async () => {
    const manifests = Array.from({ length: 40 }, (_, index) => ({ files: [{ path: at(`f${index}`), partition: 'x' }] }))
    await commit(manifests)
    const planned = await plan()
    expect(planned['plan-tasks']).toHaveLength(3)
    await commit([{ files: [{ path: at('later'), partition: 'x' }] }])
    const names: string[] = []
    for (const task of planned['plan-tasks'] ?? []) {
      const answer = await world.call('fetchScanTasks', { path, body: { 'plan-task': task } })
      names.push(...Object.keys(applied(answer.body as unknown as Planned)))
    }
    expect(names.sort()).toEqual(manifests.map((_, index) => `f${index}`).sort())
    const planPath = { ...path, 'plan-id': planned['plan-id'] ?? '' }
    expect((await world.call('fetchPlanningResult', { path: planPath })).body['plan-tasks']).toEqual(planned['plan-tasks'])
    expect((await world.call('cancelPlanning', { path: planPath })).status).toBe(204)
    expect((await world.call('fetchPlanningResult', { path: planPath })).errorType).toBe('NoSuchPlanIdException')
    expect((await world.call('fetchScanTasks', { path, body: { 'plan-task': planned['plan-tasks']?.[0] ?? '' } })).errorType).toBe('NoSuchPlanTaskException')
  })

  test('a scan whose manifest is gone has failed', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    await store.transact((tx) => tx.deleteFile(at('snap-1.avro')))
    expect(await plan()).toMatchObject({ status: 'failed', error: { code: 404 } })
  })

  test('a purge deletes what the table reaches, and nothing else', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }, { content: 1, files: [{ path: at('p'), partition: 'x', content: 1 }] }])
    await commit([{ files: [{ path: at('b'), partition: 'x' }] }])
    store.writeFile(at('not-ours'), Buffer.from('x'))
    await world.call('dropTable', { path, query: { purgeRequested: 'true' } })
    expect(store.fileLocations.length).toBeGreaterThan(5)
    expect(await world.catalog.maintain()).toMatchObject({ purgedTables: 1 })
    expect(store.fileLocations).toEqual([at('not-ours')])
    expect(await world.catalog.maintain()).toMatchObject({ purgedTables: 0 })
  })

  test('a purge waits until the table can no longer be restored', async () => {
    await world.call('updateWarehouse', { path: { warehouse: 'lake' }, body: { 'undrop-ms': 60_000 } })
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    await world.call('dropTable', { path, query: { purgeRequested: 'true' } })
    await world.catalog.maintain()
    expect(store.fileLocations).toContain(at('a'))
    world.clock.ms += 61_000
    expect(await world.catalog.maintain()).toMatchObject({ expiredDrops: 1, purgedTables: 1 })
    expect(store.fileLocations).toEqual([])
  })
})

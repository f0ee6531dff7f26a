import { beforeEach, describe, expect, test } from 'vitest'
import { MiB } from '../../base/units.ts'
import type { Json } from '../json/json.ts'
import { MemoryCatalogStore } from '../memory-catalog-store.ts'
import { simpleSchema, testCatalog, type TestCatalog } from '../testing.ts'
import { manifestBytes, manifestListBytes, type FixtureFile, type FixtureManifest } from './manifest-fixture.ts'

const path = { namespace: 'db', table: 't' }
const at = (name: string): string => `s3://lake/db/${name}`

interface Planned {
  readonly status: string
  readonly 'plan-id'?: string
  readonly error?: { readonly message: string }
  readonly 'file-scan-tasks'?: readonly { readonly 'residual-filter'?: Json; readonly 'data-file': { readonly 'file-path': string; readonly partition: Json }; readonly 'delete-file-references'?: readonly number[] }[]
  readonly 'delete-files'?: readonly { readonly 'file-path': string }[]
  readonly 'plan-tasks'?: readonly string[]
}

describe.each([['whole', Infinity], ['archived', 150]])('scan planning and purging, of a history that is %s', (_, ownListBytes) => {
  let store: MemoryCatalogStore
  let world: TestCatalog
  let snapshots: number

  beforeEach(async () => {
    store = new MemoryCatalogStore(['lake', 'victim'])
    world = await testCatalog(store, 'test', { ownListBytes })
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

  test('an incremental scan over many snapshots is handed out as plan tasks', async () => {
    for (let index = 0; index < 20; index++) await commit([{ files: [{ path: at(`f${index}`), partition: 'x' }] }])
    const planned = await plan({ 'start-snapshot-id': 1, 'end-snapshot-id': 20 })
    expect(planned['plan-tasks']).toHaveLength(2)
    const names: string[] = []
    for (const task of planned['plan-tasks'] ?? []) {
      names.push(...Object.keys(applied((await world.call('fetchScanTasks', { path, body: { 'plan-task': task } })).body as unknown as Planned)))
    }
    expect(names.sort()).toEqual(Array.from({ length: 19 }, (_, index) => `f${index + 1}`).sort())
    const beyond = `${planned['plan-id'] ?? ''}.2`
    expect((await world.call('fetchScanTasks', { path, body: { 'plan-task': beyond } })).errorType).toBe('NoSuchPlanTaskException')
  })

  test('what is left of the filter for a file comes with it', async () => {
    await commit([{ files: [{ path: at('x'), partition: 'x' }, { path: at('y'), partition: 'y' }, { path: at('null'), partition: null }] }])
    const onX: Json = { type: 'eq', term: 'name', value: 'x' }
    const onId: Json = { type: 'gt', left: { type: 'reference', name: 'id' }, right: { type: 'literal', value: 5 } }
    const residuals = async (filter: Json): Promise<Record<string, Json>> => {
      const tasks = (await plan({ filter }))['file-scan-tasks'] ?? []
      return Object.fromEntries(tasks.map((task) => [task['data-file']['file-path'].split('/').at(-1), task['residual-filter'] ?? 'none']))
    }
    expect(await residuals({ type: 'and', left: onX, right: onId })).toEqual({ x: onId })
    expect(await residuals({ type: 'or', left: onX, right: onId })).toEqual({ x: true, y: onId, null: onId })
    expect(await residuals({ type: 'not', child: onX })).toEqual({ y: true, null: { type: 'not', child: onX } })
    expect(await residuals({ type: 'not', child: { type: 'and', left: onX, right: onId } })).toEqual({ x: { type: 'not', child: onId }, y: true, null: { type: 'or', left: { type: 'not', child: onX }, right: { type: 'not', child: onId } } })
    expect(await residuals({ type: 'is-null', term: 'name' })).toEqual({ null: true })
    expect(await residuals({ type: 'in', term: 'name', values: ['x', 'z'] })).toEqual({ x: true })
    expect(await residuals(true)).toEqual({ x: true, y: true, null: true })
    expect((await plan())['file-scan-tasks']?.every((task) => task['residual-filter'] === undefined)).toBe(true)
  })

  test('no more manifests are read than the rows that are wanted need', async () => {
    await commit(['a', 'b', 'c'].map((name) => ({ files: [{ path: at(name), partition: 'x', recordCount: 10 }] })))
    expect(Object.keys(applied(await plan({ 'min-rows-requested': 1 })))).toEqual(['a'])
    expect(Object.keys(applied(await plan({ 'min-rows-requested': 11 })))).toEqual(['a', 'b'])
    expect(Object.keys(applied(await plan({ 'min-rows-requested': 100 })))).toEqual(['a', 'b', 'c'])
    const filter: Json = { type: 'gt', term: 'id', value: 1 }
    expect(Object.keys(applied(await plan({ 'min-rows-requested': 1, filter })))).toEqual(['a', 'b', 'c'])
    expect((await world.call('planTableScan', { path, body: { 'min-rows-requested': -1 } })).status).toBe(400)
  })

  test('files of several partition specs are planned together', async () => {
    await commit([{ files: [{ path: at('old'), partition: 'x' }] }])
    const updates: Json = [{ action: 'add-spec', spec: { fields: [] } }, { action: 'set-default-spec', 'spec-id': -1 }]
    expect((await world.call('updateTable', { path, body: { requirements: [], updates } })).status).toBe(200)
    await commit([{ files: [{ path: at('new'), partition: 'y' }] }])
    const tasks = (await plan({ filter: { type: 'eq', term: 'name', value: 'x' } }))['file-scan-tasks'] ?? []
    expect(tasks.map((task) => task['data-file']['file-path'])).toEqual([at('old')])
  })

  test('columns are chosen by their full names, or refused', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    expect((await plan({ select: ['id', 'name'], 'stats-fields': ['id'] })).status).toBe('completed')
    expect((await plan({ select: ['ID'], 'case-sensitive': false })).status).toBe('completed')
    for (const body of [{ select: ['ID'] }, { 'stats-fields': ['nowhere'] }, { filter: { type: 'is-null', term: 'nowhere' } }]) {
      expect((await world.call('planTableScan', { path, body: body as Json })).status).toBe(400)
    }
  })

  test('a plan is of its table, and is forgotten in time', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    const planId = (await plan())['plan-id'] ?? ''
    await world.call('createTable', { path: { namespace: 'db' }, body: { name: 'other', schema: simpleSchema } })
    const other = { namespace: 'db', table: 'other', 'plan-id': planId }
    expect((await world.call('fetchPlanningResult', { path: other })).errorType).toBe('NoSuchPlanIdException')
    expect((await world.call('cancelPlanning', { path: other })).errorType).toBe('NoSuchPlanIdException')
    expect((await world.call('fetchPlanningResult', { path: { ...path, 'plan-id': planId } })).body['status']).toBe('completed')
    world.clock.ms += 2 * 86_400_000
    await world.catalog.maintain()
    expect((await world.call('fetchPlanningResult', { path: { ...path, 'plan-id': planId } })).errorType).toBe('NoSuchPlanIdException')
    expect((await world.call('fetchPlanningResult', { path: { namespace: 'db', table: 'nowhere', 'plan-id': planId } })).errorType).toBe('NoSuchTableException')
  })

  test('a scan of files that are no manifests has failed, and says of which', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    for (const bytes of [Buffer.from('PAR1'), manifestListBytes([]), Buffer.from('Obj\u0001')]) {
      store.writeFile(at('m1-0.avro'), bytes)
      const failed = await plan()
      if (bytes.length > 10) continue
      expect(failed).toMatchObject({ status: 'failed', error: { code: 400 } })
      expect(failed.error?.message).toContain(at('m1-0.avro'))
    }
    store.writeFile(at('m1-0.avro'), manifestListBytes([{ path: 'x', sequenceNumber: 1, snapshotId: 1 }]))
    expect(await plan()).toMatchObject({ status: 'failed', error: { code: 400, type: 'ValidationException' } })
    store.writeFile(at('snap-1.avro'), manifestBytes([{ path: 'x', partition: 'x' }]))
    expect(await plan()).toMatchObject({ status: 'failed', error: { code: 400, type: 'ValidationException' } })
  })

  test('a scan reads no manifest or manifest list outside the warehouse, nor does a purge', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    const foreign = (name: string): string => `s3://victim/${name}`
    store.writeFile(foreign('m.avro'), manifestBytes([{ path: at('not-ours'), partition: 'x' }]))
    store.writeFile(foreign('snap.avro'), manifestListBytes([{ path: foreign('m.avro'), sequenceNumber: 1, snapshotId: 1 }]))
    store.writeFile(at('not-ours'), Buffer.from('x'))
    const own = store.readFile.bind(store)
    const reads: string[] = []
    store.readFile = (location, limit) => {
      reads.push(location)
      return own(location, limit)
    }
    store.writeFile(at('snap-1.avro'), manifestListBytes([{ path: foreign('m.avro'), sequenceNumber: 1, snapshotId: 1 }]))
    expect(await plan()).toMatchObject({ status: 'failed', error: { code: 400, type: 'ValidationException' } })
    const snapshot: Json = { 'snapshot-id': 2, 'parent-snapshot-id': 1, 'sequence-number': 2, 'timestamp-ms': 1_700_000_000_002, 'manifest-list': foreign('snap.avro'), summary: { operation: 'append' } }
    const updates: Json = [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 2 }]
    expect((await world.call('updateTable', { path, body: { requirements: [], updates } })).status).toBe(200)
    const failures = [await plan(), await plan({ 'start-snapshot-id': 1, 'end-snapshot-id': 2 })]
    for (const failed of failures) expect(failed).toMatchObject({ status: 'failed', error: { code: 400, type: 'ValidationException', message: expect.stringContaining(foreign('snap.avro')) as unknown } })
    await world.call('dropTable', { path, query: { purgeRequested: 'true' } })
    expect(await world.catalog.maintain()).toMatchObject({ purgedTables: 1 })
    expect(store.fileLocations).toContain(at('not-ours'))
    expect(reads.filter((location) => location.startsWith('s3://victim/'))).toEqual([])
    expect(reads).toContain(at('snap-1.avro'))
  })

  test('a manifest that is too large for memory is not read', async () => {
    await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
    store.writeFile(at('m1-0.avro'), Buffer.alloc(64 * MiB + 1))
    expect(await plan()).toMatchObject({ status: 'failed', error: { code: 400, message: expect.stringContaining('too large') as unknown } })
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

  describe('a purge leaves what another table has', () => {
    const purge = async (table: string): Promise<void> => {
      expect((await world.call('dropTable', { path: { namespace: 'db', table }, query: { purgeRequested: 'true' } })).status).toBe(204)
      expect(await world.catalog.maintain()).toMatchObject({ purgedTables: 1 })
    }

    test('of the same uuid: all of it, until it goes too', async () => {
      await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
      const { body } = await world.call('loadTable', { path })
      const register = () => world.call('registerTable', { path: { namespace: 'db' }, body: { name: 'twin', 'metadata-location': body['metadata-location'] as string } })
      expect((await register()).status).toBe(200)
      const before = store.fileLocations
      await purge('t')
      expect(store.fileLocations).toEqual(before)
      expect((await world.call('loadTable', { path: { namespace: 'db', table: 'twin' } })).status).toBe(200)
      await world.call('dropTable', { path: { namespace: 'db', table: 'twin' }, query: { purgeRequested: 'true' } })
      // What is about to be deleted cannot be taken up again.
      expect((await register()).status).toBe(409)
      await world.catalog.maintain()
      expect(store.fileLocations).toEqual([])
      expect((await register()).status).toBe(404)
    })

    test('in its folder', async () => {
      const create = async (name: string, location: string): Promise<string> => {
        const { body } = await world.call('createTable', { path: { namespace: 'db' }, body: { name, location, schema: simpleSchema } })
        return (body['metadata'] as { readonly location: string }).location
      }
      const other = await create('other', at('t2'))
      await commit([{ files: [{ path: at('a'), partition: 'x' }, { path: `${other}/data/borrowed`, partition: 'x' }] }])
      await purge('t')
      expect(store.fileLocations).toContain(`${other}/data/borrowed`)
      expect(store.fileLocations).not.toContain(at('a'))
      expect((await world.call('loadTable', { path: { namespace: 'db', table: 'other' } })).status).toBe(200)
    })

    test('where it says so: gc.enabled', async () => {
      await world.call('updateTable', { path, body: { requirements: [], updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'false' } }] } })
      await commit([{ files: [{ path: at('a'), partition: 'x' }] }])
      await purge('t')
      expect(store.fileLocations).toEqual([at('a')])
    })
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

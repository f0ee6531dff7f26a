import { describe, expect, test } from 'vitest'
import { dayMs } from '../../base/units.ts'
import { createCatalog, parseLocation, type CatalogRequest } from '../../catalog/index.ts'
import { fsck } from '../../engine/fsck/fsck.ts'
import { tableRange, tables } from '../../engine/keys.ts'
import { bytesOf, memoryEngine } from '../../engine/objects/test-engine.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

const caller = { accountId: '111111111111', principalId: 'ADA', isRoot: false }
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }
const path = { prefix: 'lake', namespace: 'db' }

async function open() {
  const all = memoryEngine()
  const { engine, clock, random } = all
  await engine.createBucket({ bucket: 'lake', ownerId: 'a'.repeat(64), region: 'us-east-1' })
  const catalog = createCatalog({ store: engineCatalogStore(engine), clock, random, settings: { idempotencyLifetimeMs: 1_800_000, ownListBytes: 1000 } })
  await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: caller.accountId })
  const ask = async (operationId: CatalogRequest['operationId'], body: unknown, more: Readonly<Record<string, string>> = {}): Promise<Loaded> => {
    const response = await catalog.run({ operationId, caller, path: { ...path, ...more }, query: {}, headers: {}, body: Buffer.from(JSON.stringify(body)), fileIoProperties: {} })
    const text = typeof response.body === 'string' || response.body === undefined ? response.body ?? '{}' : (await bytesOf(response.body)).toString()
    expect([response.status, text.slice(0, 300)]).toEqual([expect.toSatisfy((status: number) => status < 300), expect.anything()])
    return JSON.parse(text) as Loaded
  }
  await ask('createNamespace', { namespace: ['db'] })
  await ask('createTable', { name: 't', schema })
  return { ...all, ask }
}

interface Loaded {
  readonly 'metadata-location': string
  readonly metadata: { readonly snapshots: readonly { readonly 'snapshot-id': number }[] }
}

function append(id: number): readonly unknown[] {
  const snapshot = { 'snapshot-id': id, 'sequence-number': id, 'timestamp-ms': 1_700_000_000_000 + id, 'manifest-list': `s3://lake/${id}.avro`, summary: { operation: 'append' } }
  return [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }]
}

describe('a metadata file in parts', () => {
  test('is an ordinary object: its bytes from anywhere, its size, an ETag of its own', async () => {
    const { engine, ask } = await open()
    const etags = new Set<string>()
    for (let id = 1; id <= 40; id++) {
      const { 'metadata-location': location, metadata } = await ask('updateTable', { updates: append(id) }, { table: 't' })
      const reader = await engine.getObject(parseLocation(location) ?? { bucket: '', key: '' })
      const { sizeBytes, etag } = reader.version
      const bytes = await bytesOf(reader.read({ offset: 0, length: sizeBytes }))
      expect(bytes.length).toBe(sizeBytes)
      expect(JSON.parse(bytes.toString())).toEqual(metadata)
      expect(metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual(Array.from({ length: id }, (_, index) => index + 1))
      for (const offset of [0, 1, Math.floor(sizeBytes / 3), sizeBytes - 700]) {
        expect((await bytesOf(reader.read({ offset, length: 600 }))).equals(bytes.subarray(offset, offset + 600))).toBe(true)
      }
      etags.add(etag)
      expect(etag).toMatch(id > 30 ? /^[0-9a-f]{32}-\d{1,2}$/ : /^[0-9a-f]{32}(-[1-9])?$/)
    }
    expect(etags.size).toBe(40)
  })

  test('costs a commit the same, however long the history: rows and bytes', async () => {
    const { metadata, ask } = await open()
    const costs: { rows: number; bytes: number }[] = []
    const stored = async () => {
      let [rows, bytes] = [0, 0]
      for (const table of [tables.content, tables.layout, tables.reference, tables.object]) {
        for (const { key, value } of await metadata.list({ ...tableRange(table), limit: 100_000 })) {
          rows++
          bytes += key.length + value.length
        }
      }
      return { rows, bytes }
    }
    for (let id = 1; id <= 240; id++) {
      const before = await stored()
      await ask('updateTable', { updates: append(id) }, { table: 't' })
      const after = await stored()
      costs.push({ rows: after.rows - before.rows, bytes: after.bytes - before.bytes })
    }
    const early = costs.slice(110, 180)
    const late = costs.slice(200)
    expect(Math.max(...late.map(({ rows }) => rows))).toBeLessThanOrEqual(Math.max(...early.map(({ rows }) => rows)))
    expect(Math.max(...late.map(({ bytes }) => bytes))).toBeLessThan(1.2 * Math.max(...early.map(({ bytes }) => bytes)))
  })

  test('leaves nothing behind, in whatever order versions go', async () => {
    const { engine, metadata, blobs, clock, ask } = await open()
    const locations: string[] = []
    for (let id = 1; id <= 30; id++) {
      const removed = id % 10 === 0 ? [{ action: 'remove-snapshots', 'snapshot-ids': [id - 9, id - 5, id - 4] }] : []
      locations.push((await ask('updateTable', { updates: [...append(id), ...removed] }, { table: 't' }))['metadata-location'])
    }
    const collect = async () => {
      for (let round = 0; round < 6; round++) {
        clock.advance(2 * dayMs)
        await engine.collectGarbage()
      }
      await engine.sweepOrphans()
    }
    const remove = async (keeps: (index: number) => boolean) => {
      for (const [index, location] of locations.entries()) {
        const object = parseLocation(location) ?? { bucket: '', key: '' }
        if (!keeps(index)) await engine.transact((tx) => tx.deleteObject(object))
      }
      await collect()
    }
    await remove((index) => index % 3 === 0 || index === 29)
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0 })
    expect((await ask('loadTable', {}, { table: 't' })).metadata.snapshots).toHaveLength(21)
    await ask('updateTable', { updates: append(31) }, { table: 't' })
    await remove((index) => index === 29)
    expect((await ask('loadTable', {}, { table: 't' })).metadata.snapshots).toHaveLength(22)
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })
})

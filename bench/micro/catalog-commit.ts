/**
 * What a commit to a table writes and costs, by the length of its history: rows and bytes of the
 * engine's commits, and CPU time up to the durable point, over memory stores and without HTTP.
 */
import { createCatalog, type CatalogRequest } from '../../catalog/index.ts'
import type { Commit } from '../../engine/metadata/metadata-store.ts'
import { memoryEngine } from '../../engine/objects/test-engine.ts'
import { openEngine } from '../../engine/open-engine.ts'
import { engineCatalogStore } from '../../src/iceberg/engine-catalog-store.ts'
import { commitBody, createBody } from '../catalog/tables.ts'

const measured = 200
const snapshotsPerCommit = 5000
/** As many metadata files as a table keeps the names of: their log is full then. */
const namedFiles = 110

async function measure(snapshots: number): Promise<void> {
  const { metadata, ...stores } = memoryEngine()
  const written = { rows: 0, bytes: 0 }
  const counting = {
    get: (key: Uint8Array) => metadata.get(key),
    list: (range: Parameters<typeof metadata.list>[0]) => metadata.list(range),
    walk: (walk: Parameters<typeof metadata.walk>[0]) => metadata.walk(walk),
    close: () => metadata.close(),
    commit: (commit: Commit) => {
      for (const { key, value } of commit.puts) written.bytes += key.length + value.length
      for (const { value } of commit.appends) written.bytes += value.length
      written.rows += commit.puts.length + commit.appends.length
      return metadata.commit(commit)
    },
  }
  const engine = openEngine({ ...stores, metadata: counting })
  const { clock, random } = stores
  const catalog = createCatalog({ store: engineCatalogStore(engine), clock, random, settings: { idempotencyLifetimeMs: 1_800_000 } })
  const accountId = '111111111111'
  await engine.createBucket({ bucket: 'lake', ownerId: 'a'.repeat(64), region: 'us-east-1' })
  await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: accountId })
  const ask = async (operationId: CatalogRequest['operationId'], body: string, path: Readonly<Record<string, string>> = {}): Promise<void> => {
    const caller = { accountId, principalId: 'BENCH', isRoot: true }
    const request = { operationId, caller, path: { prefix: 'lake', ...path }, query: {}, headers: {}, body: Buffer.from(body), fileIoProperties: {} }
    const response = await catalog.run(request)
    if (response.status >= 300) throw new Error(`${operationId} answered ${response.status}`)
  }
  const name = `t${snapshots}`
  const append = (count: number) => ask('updateTable', commitBody(name, count), { namespace: 'db', table: name })
  await ask('createNamespace', '{"namespace":["db"]}')
  await ask('createTable', createBody(name), { namespace: 'db' })
  for (let left = snapshots - namedFiles; left > 0; left -= snapshotsPerCommit) await append(Math.min(left, snapshotsPerCommit))
  for (let n = 0; n < namedFiles; n++) await append(1)
  const before = { ...written }
  const cpu = process.cpuUsage()
  for (let n = 0; n < measured; n++) await append(1)
  const { user, system } = process.cpuUsage(cpu)
  const rows = (written.rows - before.rows) / measured
  const kibibytes = (written.bytes - before.bytes) / measured / 1024
  console.log(`${String(snapshots).padStart(7)} snapshots: ${kibibytes.toFixed(1)} KiB in ${rows.toFixed(1)} rows, ${((user + system) / measured / 1000).toFixed(2)} ms CPU for each commit`)
}

for (const snapshots of [100, 10_000, 200_000]) await measure(snapshots)

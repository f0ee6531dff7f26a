/** A table with 200,000 snapshots, 73 MB of metadata, is committed to and loaded whole by several clients at once, within bounds. */
import { expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { peakDuring } from './peak.ts'

const namespace = `memory_${Date.now().toString(36)}`
const table = `namespaces/${namespace}/tables/long`
const snapshotCount = 200_000
const snapshotsPerCommit = 5000
const clients = 4
/** One such table parsed whole takes more, in JavaScript's objects. */
const mostMebibytes = 512

async function open({ endpoint, accessKeyId, secretAccessKey }: StartedServer): Promise<(method: string, path: string, body?: unknown) => Promise<Response>> {
  const catalog = `${endpoint}/iceberg/v1`
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey, scope: 'PRINCIPAL_ROLE:ALL' })
  const answer = await fetch(`${catalog}/oauth/tokens`, { method: 'POST', body: form })
  const { access_token: token } = await answer.json() as { readonly access_token: string }
  const { overrides, defaults } = await (await fetch(`${catalog}/config?warehouse=lake`, { headers: { authorization: `Bearer ${token}` } })).json() as Record<'overrides' | 'defaults', Record<string, string>>
  const prefix = overrides['prefix'] ?? defaults['prefix'] ?? ''
  return (method, path, body) => fetch(`${catalog}/${prefix}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/** Appends of snapshots `first` to `last`, as engines commit them. */
function append(first: number, last: number): unknown {
  const idOf = (sequence: number): number => 1_000_000_000_000_000 + sequence * 7919
  const updates: unknown[] = []
  for (let sequence = first; sequence <= last; sequence++) {
    updates.push({
      action: 'add-snapshot',
      snapshot: {
        'snapshot-id': idOf(sequence), 'sequence-number': sequence, 'timestamp-ms': Date.now(), 'schema-id': 0,
        'manifest-list': `s3://lake/${namespace}/long/metadata/snap-${idOf(sequence)}-1-8f14e45f-ceea-467f-a0e6-4b2f2f3c7a55.avro`,
        summary: {
          'operation': 'append', 'added-data-files': '1', 'added-records': '1000', 'added-files-size': '34567',
          'total-records': String(sequence * 1000), 'total-data-files': String(sequence),
        },
      },
    })
  }
  updates.push({ action: 'set-snapshot-ref', 'ref-name': 'main', 'type': 'branch', 'snapshot-id': idOf(last) })
  return { requirements: [], updates }
}

/** The bytes of an answer, which is not kept. */
async function drained(answer: Response): Promise<number> {
  expect(answer.status).toBe(200)
  let bytes = 0
  for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length
  return bytes
}

// On a server of its own, whose memory has not grown by other tests.
test(`a history of ${snapshotCount.toLocaleString('en')} snapshots`, { timeout: 180_000 }, async () => {
  const server = await startServer({ workers: 2, args: ['--quiet'], env: { MORAINE_LOG_LEVEL: 'warn' } })
  try {
    const ask = await open(server)
    expect((await ask('POST', 'namespaces', { namespace: [namespace] })).status).toBe(200)
    const schema = { 'type': 'struct', 'schema-id': 0, 'fields': [{ id: 1, name: 'id', required: true, type: 'long' }] }
    expect((await ask('POST', `namespaces/${namespace}/tables`, { name: 'long', schema })).status).toBe(200)
    const filling = await peakDuring(server, async () => {
      for (let first = 1; first <= snapshotCount; first += snapshotsPerCommit) await drained(await ask('POST', table, append(first, first + snapshotsPerCommit - 1)))
    })
    const all = Array.from({ length: clients })
    const loading = await peakDuring(server, async () => {
      for (const bytes of await Promise.all(all.map(async () => drained(await ask('GET', table))))) expect(bytes).toBeGreaterThan(60_000_000)
    })
    const committing = await peakDuring(server, async () => {
      for (let next = snapshotCount + 1; next <= snapshotCount + clients; next++) expect(await drained(await ask('POST', table, append(next, next)))).toBeGreaterThan(60_000_000)
    })
    console.log(`${snapshotCount} snapshots: ${filling.toFixed(0)} MiB in a worker while they were made, ${loading.toFixed(0)} while ${clients} clients loaded them, ${committing.toFixed(0)} at commits`)
    expect(Math.max(filling, loading, committing)).toBeLessThan(mostMebibytes)
  } finally {
    await server.stop()
  }
})

/** The tables of the benchmark, and the commits to them. */
import type { CatalogClient } from './client.ts'
import { closedLoop } from './closed-loop.ts'

/** One of its own for each run: a catalog may be measured more than once. */
const namespace = `bench_${Date.now().toString(36)}`
export const tablesPath = `/namespaces/${namespace}/tables`

const schema = {
  type: 'struct', 'schema-id': 0,
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'at', required: false, type: 'timestamptz' },
    { id: 3, name: 'name', required: false, type: 'string' },
  ],
}

export function tablePath(table: string): string {
  return `${tablesPath}/${table}`
}

export function createBody(name: string): string {
  return JSON.stringify({ name, schema, 'partition-spec': { 'spec-id': 0, fields: [] } })
}

export async function makeTable(client: CatalogClient, name: string): Promise<void> {
  await client.json('POST', '/namespaces', { namespace: [namespace] }, [409])
  await client.json('POST', tablesPath, JSON.parse(createBody(name)), [409])
}

/** Sequence numbers by table: of two snapshots the later one has the greater, whoever adds it. */
const sequences = new Map<string, number>()

/** An append of `count` snapshots, as an engine commits it: about 370 bytes of JSON each. */
export function appendUpdates(table: string, count = 1): readonly unknown[] {
  const updates: unknown[] = []
  let id = ''
  for (let index = 0; index < count; index++) {
    const sequence = (sequences.get(table) ?? 0) + 1
    sequences.set(table, sequence)
    // Safe integers: the program's own JSON is not exact beyond.
    id = String(1_000_000_000_000_000 + sequence * 7919)
    updates.push({
      action: 'add-snapshot',
      snapshot: {
        'snapshot-id': Number(id), 'sequence-number': sequence, 'timestamp-ms': Date.now(),
        'manifest-list': `s3://bench/${namespace}/${table}/metadata/snap-${id}-1-8f14e45f-ceea-467f-a0e6-4b2f2f3c7a55.avro`,
        summary: {
          operation: 'append', 'added-data-files': '1', 'added-records': '1000', 'added-files-size': '34567',
          'total-records': String(sequence * 1000), 'total-data-files': String(sequence),
        },
        'schema-id': 0,
      },
    })
  }
  updates.push({ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': Number(id) })
  return updates
}

export function commitBody(table: string, count = 1): string {
  return JSON.stringify({ requirements: [], updates: appendUpdates(table, count) })
}

/** One transaction over several tables. */
export function transactionBody(tables: readonly string[]): string {
  return JSON.stringify({
    'table-changes': tables.map(name => ({ identifier: { namespace: [namespace], name }, requirements: [], updates: appendUpdates(name) })),
  })
}

const snapshotsPerCommit = 5000

/** A table with so many snapshots. */
export async function fillTable(client: CatalogClient, name: string, count: number): Promise<void> {
  await makeTable(client, name)
  const connection = client.connect()
  for (let left = count; left > 0; left -= snapshotsPerCommit) {
    const { status, text } = await connection.request('POST', tablePath(name), commitBody(name, Math.min(left, snapshotsPerCommit)))
    if (status !== 200) throw new Error(`filling ${name} answered ${status} ${text}`)
  }
  connection.close()
}

const tablesPerTransaction = 200

/** One transaction that makes tables: each asserts that it is not there. */
function creationBody(names: readonly string[]): string {
  const updates = [{ action: 'add-schema', schema, 'last-column-id': schema.fields.length }, { action: 'set-current-schema', 'schema-id': -1 }]
  return JSON.stringify({ 'table-changes': names.map(name => ({ identifier: { namespace: [namespace], name }, requirements: [{ type: 'assert-create' }], updates })) })
}

/** So many tables in one namespace, as far as they can be made in the time: in transactions where the catalog makes tables so, else one by one. */
export async function makeManyTables(client: CatalogClient, count: number, limitMs: number): Promise<number> {
  await makeTable(client, 'listed-0')
  const first = client.connect()
  const inTransactions = (await first.request('POST', '/transactions/commit', creationBody(['listed-1']))).status === 204
  first.close()
  let next = inTransactions ? 2 : 1
  let made = next
  await closedLoop(client, { clients: 8, durationMs: limitMs, warmUpMs: 0 }, (connection) => {
    if (next >= count) return undefined
    const names = Array.from({ length: Math.min(inTransactions ? tablesPerTransaction : 1, count - next) }, (_, index) => `listed-${next + index}`)
    next += names.length
    const answer = inTransactions ? connection.request('POST', '/transactions/commit', creationBody(names)) : connection.request('POST', tablesPath, createBody(names[0] ?? ''))
    return answer.then((response) => {
      if (response.status < 300) made += names.length
      return response
    })
  })
  return made
}

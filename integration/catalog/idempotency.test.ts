/** Idempotency-Key over real processes: repetitions on every worker at once, and after `kill -9` in the middle of a commit. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startServer } from '../start-server.ts'
import { type Answer, CatalogClient, schema } from './client.ts'

const tables = ['a', 'b', 'c']

/** One transaction over all tables that sets a property of its own. */
const transaction = (n: number): unknown => ({
  'table-changes': tables.map((name) => ({ identifier: { namespace: ['db'], name }, requirements: [], updates: [{ action: 'set-properties', updates: { [`n${n}`]: 'set' } }] })),
})

async function setUp(client: CatalogClient): Promise<void> {
  await client.must('POST', 'lake/namespaces', { namespace: ['db'] })
  for (const name of tables) await client.must('POST', 'lake/namespaces/db/tables', { name, schema })
}

/** In how many of the tables a transaction's property is set. */
async function seenIn(client: CatalogClient, n: number): Promise<number> {
  const loaded = await Promise.all(tables.map((name) => client.load('db', name)))
  return loaded.filter(({ metadata }) => metadata.properties[`n${n}`] === 'set').length
}

test('a request that is sent many times at once is carried out once, and all are told the same', async () => {
  const server = await startServer({ workers: 2 })
  try {
    const client = await CatalogClient.connect(server)
    await setUp(client)
    for (let round = 0; round < 10; round++) {
      const headers = { 'idempotency-key': randomUUID() }
      const answers = await Promise.all(Array.from({ length: 16 }, () => client.ask('POST', 'lake/namespaces/db/tables', { name: `t${round}`, schema }, headers)))
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      expect(new Set(answers.map(({ body }) => (JSON.parse(body) as { 'metadata-location': string })['metadata-location'])).size).toBe(1)
      const other = await client.ask('POST', 'lake/namespaces/db/tables', { name: `u${round}`, schema }, headers)
      expect([other.status, other.body]).toEqual([422, expect.stringContaining('UnprocessableEntityException')])
    }
  } finally {
    await server.stop()
  }
})

test('a transaction that kill -9 cut short is whole or absent, and its repetition ends it', async () => {
  const drive = await mkdtemp(join(tmpdir(), 'moraine-catalog-'))
  let server = await startServer({ drive, workers: 2 })
  try {
    let client = await CatalogClient.connect(server)
    await setUp(client)
    let n = 0
    let unanswered = 0
    for (let round = 0; round < 3; round++) {
      const sent = new Map<number, { readonly key: string; answer: Answer | undefined }>()
      const isOn = { power: true }
      const writers = Array.from({ length: 8 }, async () => {
        while (isOn.power) {
          const id = n++
          const attempt: { readonly key: string; answer: Answer | undefined } = { key: randomUUID(), answer: undefined }
          sent.set(id, attempt)
          attempt.answer = await client.ask('POST', 'lake/transactions/commit', transaction(id), { 'idempotency-key': attempt.key }).catch(() => undefined)
        }
      })
      await sleep(200 + 100 * round)
      isOn.power = false
      await server.kill9()
      await Promise.all(writers)
      server = await startServer({ drive, workers: 2 })
      client = await CatalogClient.connect(server)
      await Promise.all([...sent].map(async ([id, { key, answer }]) => {
        const before = await seenIn(client, id)
        if (answer?.status === 204) expect([id, before]).toEqual([id, tables.length])
        else unanswered++
        expect([0, tables.length]).toContain(before)
        const repeated = await client.ask('POST', 'lake/transactions/commit', transaction(id), { 'idempotency-key': key })
        expect([id, repeated.status]).toEqual([id, 204])
        expect(await seenIn(client, id)).toBe(tables.length)
      }))
      expect(sent.size).toBeGreaterThan(0)
    }
    expect(unanswered).toBeGreaterThan(0)
  } finally {
    await server.kill9()
    await rm(drive, { recursive: true, force: true })
  }
})

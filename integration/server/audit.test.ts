/** The audit file: a record of every request that was answered, through a kill, and none lost while it cannot be written: requests wait, and are refused at last. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { clientOf } from './client.ts'

let scratch: string
let server: StartedServer

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-audit-'))
})
afterEach(async () => {
  await server.stop().catch(() => undefined)
  await rm(scratch, { recursive: true })
})

interface AuditLine {
  readonly version: string
  readonly requestID: string
  readonly api: { readonly name: string; readonly statusCode: number; readonly object?: string }
}

/** Every line is a whole record: two processes append to the file. */
const linesOf = async (path: string): Promise<AuditLine[]> =>
  (await readFile(path, 'utf8')).split('\n').slice(0, -1).map(line => JSON.parse(line) as AuditLine)

it('has every request that was answered, once, in whole lines, after kill -9 of all processes', async () => {
  const path = join(scratch, 'audit.log')
  server = await startServer({ workers: 2, drive: join(scratch, 'data'), env: { MORAINE_BUCKETS: 'audited', MORAINE_AUDIT_FILE: path } })
  const client = clientOf(server)
  const ids = new Set<string>()
  const put = async (index: number): Promise<void> => {
    const { $metadata } = await client.send(new PutObjectCommand({ Bucket: 'audited', Key: `k${index}`, Body: Buffer.alloc(100) }))
    if ($metadata.requestId !== undefined) ids.add($metadata.requestId)
  }
  await Promise.all(Array.from({ length: 300 }, (_, index) => put(index)))
  expect(ids.size).toBe(300)
  // A record is handed to the kernel right after the answer; what the kernel has outlives the process.
  await new Promise(resolve => setTimeout(resolve, 500))
  const more = Array.from({ length: 50 }, (_, index) => put(1000 + index).catch(() => undefined))
  await server.kill9()
  await Promise.all(more)
  const lines = await linesOf(path)
  const seen = lines.map(({ requestID }) => requestID)
  expect(new Set(seen).size).toBe(seen.length)
  const first = new Set(lines.filter(({ api }) => api.name === 'PutObject' && Number(api.object?.slice(1)) < 1000).map(({ requestID }) => requestID))
  expect(first.size).toBe(300)
  expect([...ids].filter(id => !seen.includes(id)).length).toBeLessThanOrEqual(50)
})

it('makes requests wait while it cannot be written, refuses them at last, and has them all once it can', async () => {
  const folder = join(scratch, 'later')
  const path = join(folder, 'audit.log')
  server = await startServer({ workers: 1, drive: join(scratch, 'data'), env: { MORAINE_BUCKETS: 'audited', MORAINE_AUDIT_FILE: path } })
  const { endpoint } = server
  const wide = { 'x-wide': 'w'.repeat(15_000) }
  const statuses: number[] = []
  for (let round = 0; round < 30 && !statuses.includes(503); round++) {
    const answers = await Promise.all(Array.from({ length: 16 }, () => fetch(`${endpoint}/audited/none`, { headers: wide })))
    for (const answer of answers) {
      statuses.push(answer.status)
      if (answer.status === 503) expect(answer.headers.get('retry-after')).toBe('1')
      await answer.text()
    }
  }
  expect(statuses).toContain(503)
  expect(statuses).toContain(403)
  await mkdir(folder)
  await expect.poll(async () => (await linesOf(path).catch(() => [])).filter(({ api }) => api.statusCode === 403).length, { timeout: 20_000 }).toBe(statuses.filter(status => status === 403).length)
  await expect.poll(async () => (await linesOf(path)).filter(({ api }) => api.statusCode === 503).length).toBe(statuses.filter(status => status === 503).length)
  await clientOf(server).send(new PutObjectCommand({ Bucket: 'audited', Key: 'k', Body: Buffer.from('x') }))
  await clientOf(server).send(new GetObjectCommand({ Bucket: 'audited', Key: 'k' }))
}, 90_000)

it('on a full disk nothing is served any more, and an error says why', async () => {
  server = await startServer({ workers: 1, drive: join(scratch, 'data'), env: { MORAINE_AUDIT_FILE: '/dev/full' } })
  const statuses = new Set<number>()
  for (let round = 0; round < 30 && !statuses.has(503); round++) {
    for (const answer of await Promise.all(Array.from({ length: 16 }, () => fetch(`${server.endpoint}/none`, { headers: { 'x-wide': 'w'.repeat(15_000) } })))) {
      statuses.add(answer.status)
      await answer.text()
    }
  }
  expect(statuses).toContain(503)
  expect(server.logs()).toMatch(/audit records cannot be written/)
  expect(server.logs()).toMatch(/ENOSPC/)
}, 90_000)

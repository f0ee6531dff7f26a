/** Quotas of accounts, over two workers: bytes, buckets, requests; set by the operator, shown to it, and held where they are passed. */
import { CreateAccessKeyCommand, CreateUserCommand, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand, DeleteBucketCommand, DeleteObjectCommand, HeadBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand,
  PutBucketVersioningCommand, PutObjectCommand, UploadPartCommand, UploadPartCopyCommand, AbortMultipartUploadCommand,
} from '@aws-sdk/client-s3'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { adminRequest } from './admin.ts'
import { tokenOf } from './catalog.ts'
import { allow, clientsOf, codeOf, credentialsOf, type Clients, type Credentials } from './connect.ts'

let scratch: string
let server: StartedServer

interface Account {
  readonly accountId: string
  readonly accessKey: Credentials
  readonly quotas: Readonly<Record<string, number>>
  readonly usage: { readonly bytes: number; readonly buckets: number; readonly objects: number }
}

interface Tenant {
  readonly name: string
  readonly account: Account
  readonly root: Clients
}

const declared = `
accounts:
  - name: declared
    quotas: {bytes: 1000, buckets: 1}
    accessKeys: [{accessKeyId: declared, secretAccessKey: declared-secret}]
`

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-quotas-'))
  await writeFile(join(scratch, 'bootstrap.yaml'), declared)
  server = await startServer({ workers: 2, drive: join(scratch, 'data'), args: ['--bootstrap', join(scratch, 'bootstrap.yaml')] })
}, 90_000)
afterAll(async () => {
  await server.stop()
  await rm(scratch, { recursive: true })
}, 60_000)

async function newTenant(name: string, quotas: object): Promise<Tenant> {
  const { status, body } = await adminRequest(server, server, 'POST', '/accounts', { name, quotas })
  expect(status).toBe(201)
  const account = body as Account
  expect(account.quotas).toEqual(quotas)
  return { name, account, root: clientsOf(server.endpoint, account.accessKey) }
}

const shown = async ({ name }: { readonly name: string }): Promise<Account> => (await adminRequest(server, server, 'GET', `/accounts/${name}`)).body as Account
const full = 'XMinioAdminBucketQuotaExceeded'

test('bytes: every way to store them is held to the quota, and deleting makes room at once', async () => {
  const tenant = await newTenant('bytes', { bytes: 100_000 })
  const { s3 } = tenant.root
  const Bucket = 'of-bytes'
  await s3.send(new CreateBucketCommand({ Bucket }))
  const put = (Key: string, bytes: number) => codeOf(s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(bytes) })))
  expect(await put('a', 60_000)).toBe('none')
  expect(await put('b', 60_000)).toBe(full)
  expect(await put('b', 40_000)).toBe('none')
  expect(await put('c', 1)).toBe(full)
  expect(await put('empty', 0)).toBe('none')
  expect((await shown(tenant)).usage).toEqual({ bytes: 100_000, buckets: 1, objects: 3 })
  expect(await codeOf(s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/b` })))).toBe(full)
  const upload = async (Key: string) => ({ Bucket, Key, UploadId: (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId })
  const first = await upload('m')
  expect(await codeOf(s3.send(new UploadPartCommand({ ...first, PartNumber: 1, Body: Buffer.alloc(10) })))).toBe(full)
  expect(await codeOf(s3.send(new UploadPartCopyCommand({ ...first, PartNumber: 1, CopySource: `${Bucket}/b` })))).toBe(full)
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  const { ETag } = await s3.send(new UploadPartCommand({ ...first, PartNumber: 1, Body: Buffer.alloc(50_000) }))
  expect((await shown(tenant)).usage.bytes).toBe(90_000)
  await s3.send(new CompleteMultipartUploadCommand({ ...first, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }))
  expect((await shown(tenant)).usage).toEqual({ bytes: 90_000, buckets: 1, objects: 3 })
  const second = await upload('n')
  await s3.send(new UploadPartCommand({ ...second, PartNumber: 1, Body: Buffer.alloc(10_000) }))
  expect(await put('c', 1)).toBe(full)
  await s3.send(new AbortMultipartUploadCommand(second))
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'b' }))
  expect(await put('c', 20_000)).toBe(full)
  expect((await adminRequest(server, server, 'PATCH', '/accounts/bytes', { quotas: {} })).status).toBe(200)
  expect(await put('c', 20_000)).toBe('none')
})

test('bytes: what others write into the account’s buckets counts, and what it writes into others’ does not', async () => {
  const [small, large] = [await newTenant('small', { bytes: 1000 }), await newTenant('large', {})]
  for (const [tenant, Bucket] of [[small, 'of-small'], [large, 'of-large']] as const) {
    await tenant.root.s3.send(new CreateBucketCommand({ Bucket }))
    const other = tenant === small ? large : small
    const Statement = [{ Effect: 'Allow', Principal: { AWS: other.account.accountId }, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` }]
    await tenant.root.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  }
  const put = ({ root }: Tenant, Bucket: string) => codeOf(root.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Buffer.alloc(5000) })))
  expect(await put(large, 'of-small')).toBe(full)
  expect(await put(small, 'of-large')).toBe('none')
  expect(await codeOf(clientsOf(server.endpoint, server).s3.send(new PutObjectCommand({ Bucket: 'of-small', Key: 'k', Body: Buffer.alloc(5000) })))).toBe(full)
  expect((await shown(small)).usage.bytes).toBe(0)
  expect((await shown(large)).usage.bytes).toBe(5000)
})

test('bytes: writers at once over two workers pass the quota by no more than the other worker has under way', async () => {
  const tenant = await newTenant('many', { bytes: 1_000_000 })
  const clients = Array.from({ length: 8 }, () => clientsOf(server.endpoint, tenant.account.accessKey).s3)
  await tenant.root.s3.send(new CreateBucketCommand({ Bucket: 'of-many' }))
  const answers = await Promise.all(clients.flatMap((s3, client) => Array.from({ length: 8 }, (_, index) =>
    codeOf(s3.send(new PutObjectCommand({ Bucket: 'of-many', Key: `${client}/${index}`, Body: Buffer.alloc(50_000) }))))))
  const { bytes } = (await shown(tenant)).usage
  expect(bytes).toBe(50_000 * answers.filter(code => code === 'none').length)
  expect(answers.filter(code => code === full).length).toBeGreaterThan(0)
  expect(bytes).toBeGreaterThanOrEqual(500_000)
  expect(bytes).toBeLessThanOrEqual(1_000_000 + 32 * 50_000)
  expect(await codeOf(tenant.root.s3.send(new PutObjectCommand({ Bucket: 'of-many', Key: 'late', Body: Buffer.alloc(1_000_000) })))).toBe(full)
})

test('buckets: never more than the quota, also of those made at once', async () => {
  const tenant = await newTenant('buckets', { buckets: 3 })
  const make = (index: number) => codeOf(clientsOf(server.endpoint, tenant.account.accessKey).s3.send(new CreateBucketCommand({ Bucket: `of-buckets-${index}` })))
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => make(index)))
  expect(answers.filter(code => code === 'none')).toHaveLength(3)
  expect(answers.filter(code => code === 'TooManyBuckets')).toHaveLength(5)
  await tenant.root.s3.send(new DeleteBucketCommand({ Bucket: `of-buckets-${answers.indexOf('none')}` }))
  expect(await make(8)).toBe('none')
  const made = await fetch(`${server.endpoint}/iceberg/v1/warehouses`, {
    method: 'POST', headers: { authorization: `Bearer ${await tokenOf(server.endpoint, tenant.account.accessKey)}`, 'content-type': 'application/json' }, body: JSON.stringify({ name: 'of-buckets-warehouse' }),
  })
  expect(made.status).toBe(403)
})

test('requests: of an account and of each identity, in the words of each protocol, over both workers', async () => {
  const tenant = await newTenant('requests', { requestsPerSecond: 40, identityRequestsPerSecond: 10 })
  await tenant.root.iam.send(new CreateUserCommand({ UserName: 'busy' }))
  await tenant.root.iam.send(new PutUserPolicyCommand({ UserName: 'busy', PolicyName: 'all', PolicyDocument: allow('*') }))
  const busy = credentialsOf((await tenant.root.iam.send(new CreateAccessKeyCommand({ UserName: 'busy' }))).AccessKey)
  await tenant.root.s3.send(new CreateBucketCommand({ Bucket: 'of-requests' }))
  const token = await tokenOf(server.endpoint, busy)
  const beganMs = performance.now()
  const codes: string[] = []
  while (performance.now() - beganMs < 3000) {
    const head = () => codeOf(clientsOf(server.endpoint, busy).s3.send(new HeadBucketCommand({ Bucket: 'of-requests' })))
    codes.push(...(await Promise.all(Array.from({ length: 10 }, head))))
  }
  const passedS = (performance.now() - beganMs) / 1000
  const admitted = codes.filter(code => code === 'none').length
  // What each of two workers has at the start, and the rate since.
  expect(admitted).toBeLessThanOrEqual(20 + Math.ceil(10 * passedS) + 10)
  expect(admitted).toBeGreaterThanOrEqual(10)
  const refused = await Promise.all(Array.from({ length: 60 }, async (_, index) => {
    const { s3, iam } = clientsOf(server.endpoint, busy)
    if (index % 3 === 0) return codeOf(s3.send(new PutObjectCommand({ Bucket: 'of-requests', Key: 'k', Body: '' })))
    if (index % 3 === 1) return codeOf(iam.send(new ListUsersCommand({})))
    const answer = await fetch(`${server.endpoint}/iceberg/v1/warehouses`, { headers: { authorization: `Bearer ${token}` } })
    return answer.status === 200 ? 'none' : `${answer.status} ${answer.headers.get('retry-after')} ${((await answer.json()) as { readonly error: { readonly type: string } }).error.type}`
  }))
  expect(new Set(refused)).toEqual(new Set(['none', 'SlowDown', 'Throttling', '503 1 SlowDownException'].filter(code => refused.includes(code))))
  for (const code of ['SlowDown', 'Throttling', '503 1 SlowDownException']) expect(refused).toContain(code)
  // Another identity of the account has its own.
  expect(await codeOf(tenant.root.s3.send(new HeadBucketCommand({ Bucket: 'of-requests' })))).toBe('none')
})

test('are declared at the start, refused when they are none, and shown by moraine status', async () => {
  const { s3 } = clientsOf(server.endpoint, { accessKeyId: 'declared', secretAccessKey: 'declared-secret' })
  await s3.send(new CreateBucketCommand({ Bucket: 'of-declared' }))
  expect(await codeOf(s3.send(new CreateBucketCommand({ Bucket: 'of-declared-2' })))).toBe('TooManyBuckets')
  expect(await codeOf(s3.send(new PutObjectCommand({ Bucket: 'of-declared', Key: 'k', Body: Buffer.alloc(1001) })))).toBe(full)
  await s3.send(new PutObjectCommand({ Bucket: 'of-declared', Key: 'k', Body: Buffer.alloc(400) }))
  for (const quotas of [{ bytes: -1 }, { bytes: 1.5 }, { bytes: '1' }, { other: 1 }, { requestsPerSecond: 0 }, [], 7]) {
    expect((await adminRequest(server, server, 'PATCH', '/accounts/declared', { quotas })).status).toBe(400)
  }
  expect((await adminRequest(server, server, 'PATCH', '/accounts/root', { quotas: { bytes: 1 } })).status).toBe(400)
  const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'status', '--endpoint', server.endpoint])
  expect(stdout).toMatch(/^Account declared +400 B of 1000 B, 1 of 1 buckets, 1 objects$/m)
})

test('the count is right after kill -9 in the middle of writes, and a restart', async () => {
  const before = await shown({ name: 'many' })
  const tenant = await newTenant('killed', { bytes: 100_000_000 })
  const { s3 } = tenant.root
  const Bucket = 'of-killed'
  await s3.send(new CreateBucketCommand({ Bucket }))
  let stored = 0
  const write = async (client: number): Promise<void> => {
    const own = clientsOf(server.endpoint, tenant.account.accessKey).s3
    for (let index = 0; ; index++) {
      await own.send(new PutObjectCommand({ Bucket, Key: `${client}/${index % 7}`, Body: Buffer.alloc(1000 * (1 + (index % 90))) }))
      stored++
      if (index % 5 === 4) await own.send(new DeleteObjectCommand({ Bucket, Key: `${client}/${index % 3}` }))
      if (index % 9 === 8) await own.send(new CopyObjectCommand({ Bucket, Key: `${client}/copy`, CopySource: `${Bucket}/${client}/${index % 7}` }))
    }
  }
  const writers = Promise.all(Array.from({ length: 6 }, (_, client) => write(client).catch(() => undefined)))
  await expect.poll(() => stored, { timeout: 30_000 }).toBeGreaterThan(200)
  await server.kill9()
  await writers
  server = await startServer({ workers: 2, drive: join(scratch, 'data'), args: ['--bootstrap', join(scratch, 'bootstrap.yaml')] })
  expect((await shown({ name: 'many' })).usage).toEqual(before.usage)
  const { Contents = [] } = await clientsOf(server.endpoint, tenant.account.accessKey).s3.send(new ListObjectsV2Command({ Bucket }))
  const listed = Contents.reduce((sum, { Size = 0 }) => sum + Size, 0)
  expect((await shown(tenant)).usage).toEqual({ bytes: listed, buckets: 1, objects: Contents.length })
})

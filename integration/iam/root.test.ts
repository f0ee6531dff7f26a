/** The server's root can be switched off once others administer; what an account's root may do; the policies that every account has, both ways. */
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, ListUsersCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, DeleteBucketCommand, GetObjectCommand, ListBucketsCommand, PutBucketPolicyCommand, PutObjectCommand, DeleteBucketPolicyCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { adminRequest } from './admin.ts'
import { catalogOf, tokenOf } from './catalog.ts'
import { clientsOf, codeOf, credentialsOf, type Credentials } from './connect.ts'

let scratch: string
let server: StartedServer

const start = (env: Readonly<Record<string, string>> = {}): Promise<StartedServer> => startServer({ workers: 2, drive: join(scratch, 'data'), env })

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-root-'))
  server = await start()
}, 90_000)
afterAll(async () => {
  await server.stop()
  await rm(scratch, { recursive: true })
}, 60_000)

async function userWith(UserName: string, ...policies: readonly string[]): Promise<Credentials> {
  const { iam } = clientsOf(server.endpoint, server)
  await iam.send(new CreateUserCommand({ UserName }))
  for (const policy of policies) await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: `arn:aws:iam::aws:policy/${policy}` }))
  return credentialsOf((await iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey)
}

describe('the policies that every account has', () => {
  /** What each may do, and what not: reading an object, writing one, listing users, listing and making namespaces. */
  const asked = ['read', 'write', 'users', 'namespaces', 'namespace'] as const
  test.each<[string, readonly (typeof asked)[number][]]>([
    ['readwrite', ['read', 'write']],
    ['readonly', ['read']],
    ['writeonly', ['write']],
    ['diagnostics', []],
    ['consoleAdmin', asked],
    ['tablesAdmin', ['namespaces', 'namespace']],
    ['iamAdmin', ['users']],
    ['AdministratorAccess', asked],
    ['AmazonS3FullAccess', ['read', 'write']],
    ['AmazonS3ReadOnlyAccess', ['read']],
    ['IAMFullAccess', ['users']],
    ['IAMReadOnlyAccess', ['users']],
  ])('%s', async (policy, allowed) => {
    const { s3 } = clientsOf(server.endpoint, server)
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'given', Body: Buffer.from('x') }))
    const key = await userWith(policy, policy)
    const own = clientsOf(server.endpoint, key)
    const catalog = await catalogOf(server, key)
    const statusOf = async (answer: ReturnType<typeof catalog>): Promise<boolean> => (await answer).status === 200
    const can: Readonly<Record<(typeof asked)[number], boolean>> = {
      read: (await codeOf(own.s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'given' })))) === 'none',
      write: (await codeOf(own.s3.send(new PutObjectCommand({ Bucket: 'lake', Key: policy, Body: Buffer.from('x') })))) === 'none',
      users: (await codeOf(own.iam.send(new ListUsersCommand({})))) === 'none',
      namespaces: await statusOf(catalog('GET', 'namespaces')),
      namespace: await statusOf(catalog('POST', 'namespaces', { namespace: [policy] })),
    }
    expect(asked.filter(name => can[name])).toEqual(asked.filter(name => allowed.includes(name)))
  })
})

test('an account’s root may do everything in its account, but what a bucket’s policy denies, and nothing in others', async () => {
  const { body } = await adminRequest(server, server, 'POST', '/accounts', { name: 'tenant' })
  const tenant = clientsOf(server.endpoint, (body as { readonly accessKey: Credentials }).accessKey)
  await tenant.s3.send(new CreateBucketCommand({ Bucket: 'of-tenant' }))
  await tenant.s3.send(new PutObjectCommand({ Bucket: 'of-tenant', Key: 'k', Body: Buffer.from('x') }))
  await tenant.iam.send(new CreateUserCommand({ UserName: 'own' }))
  const deny = { Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::of-tenant', 'arn:aws:s3:::of-tenant/*'] } }
  await tenant.s3.send(new PutBucketPolicyCommand({ Bucket: 'of-tenant', Policy: JSON.stringify(deny) }))
  const read = () => codeOf(tenant.s3.send(new GetObjectCommand({ Bucket: 'of-tenant', Key: 'k' })))
  expect(await read()).toBe('AccessDenied')
  await tenant.s3.send(new DeleteBucketPolicyCommand({ Bucket: 'of-tenant' }))
  expect(await read()).toBe('none')
  expect(await codeOf(tenant.s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'given' })))).toBe('AccessDenied')
  expect(await codeOf(tenant.s3.send(new DeleteBucketCommand({ Bucket: 'lake' })))).toBe('AccessDenied')
  expect((await adminRequest(server, (body as { readonly accessKey: Credentials }).accessKey, 'GET', '/accounts')).status).toBe(403)
})

test('the server’s root is refused everywhere once it is switched off, with its sessions; users of its account go on', async () => {
  const admin = await userWith('admin', 'AdministratorAccess')
  const root = clientsOf(server.endpoint, server)
  const session = credentialsOf((await root.sts.send(new GetSessionTokenCommand({}))).Credentials)
  expect(await codeOf(clientsOf(server.endpoint, session).s3.send(new ListBucketsCommand({})))).toBe('none')
  const token = await tokenOf(server.endpoint, server)
  await server.stop()
  server = await start({ MORAINE_ROOT_ACCESS: 'off' })
  const { s3, iam, sts } = clientsOf(server.endpoint, server)
  expect(await codeOf(s3.send(new ListBucketsCommand({})))).toBe('InvalidAccessKeyId')
  expect(await codeOf(iam.send(new ListUsersCommand({})))).toBe('InvalidClientTokenId')
  expect(await codeOf(sts.send(new GetCallerIdentityCommand({})))).toBe('InvalidClientTokenId')
  expect((await adminRequest(server, server, 'GET', '/accounts')).status).toBe(403)
  expect(await tokenOf(server.endpoint, server)).toBeUndefined()
  expect((await fetch(`${server.endpoint}/iceberg/v1/lake/namespaces`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  expect(await codeOf(clientsOf(server.endpoint, session).s3.send(new ListBucketsCommand({})))).toBe('InvalidToken')
  expect(await codeOf(clientsOf(server.endpoint, admin).iam.send(new ListUsersCommand({})))).toBe('none')
  await server.stop()
  server = await start()
  expect(await codeOf(clientsOf(server.endpoint, server).s3.send(new ListBucketsCommand({})))).toBe('none')
}, 120_000)

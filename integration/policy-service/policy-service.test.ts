/** An Open Policy Agent that decides: what it allows happens, nothing else does, and nothing at all while it does not answer. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, IAMClient, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startServer, type StartedServer } from '../start-server.ts'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const program = process.env['TEST_PROGRAM'] ?? ''
let opa: ChildProcess
let opaUrl = ''
let server: StartedServer
let reader: S3Client
let readerKey: Credentials
let root: S3Client

const s3Of = (credentials: Credentials): S3Client => new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials })
const iamOf = (credentials: Credentials): IAMClient => new IAMClient({ endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1, credentials })

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(() => 'none', (error: unknown) => (error as Error).name)
}

const get = (s3: S3Client, Key: string) => codeOf(s3.send(new GetObjectCommand({ Bucket: 'shared', Key })))

/** What `policy.rego` grants by data: account to actions. */
async function grant(grants: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const answer = await fetch(`${opaUrl}/v1/data/grants`, { method: 'PUT', body: JSON.stringify(grants), headers: { 'content-type': 'application/json' } })
  expect(answer.status).toBe(204)
}

async function startOpa(): Promise<void> {
  opa = spawn(program, ['run', '--server', '--disable-telemetry', '--addr', new URL(opaUrl).host, '--log-level', 'error', join(import.meta.dirname, 'policy.rego')], { stdio: ['ignore', 'inherit', 'inherit'] })
  const deadline = Date.now() + 30_000
  while ((await fetch(`${opaUrl}/health`).catch(() => undefined))?.status !== 200) {
    if (Date.now() > deadline || opa.exitCode !== null) throw new Error('the policy service did not start')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function stopOpa(): Promise<void> {
  const ended = new Promise(resolve => opa.once('close', resolve))
  opa.kill('SIGKILL')
  await ended
}

async function newUser(UserName: string): Promise<Credentials> {
  const iam = iamOf(server)
  await iam.send(new CreateUserCommand({ UserName }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
}

beforeAll(async () => {
  opaUrl = `http://127.0.0.1:${await freePort()}`
  await startOpa()
  // MinIO's names for the settings.
  server = await startServer({ workers: 2, env: { MINIO_POLICY_PLUGIN_URL: `${opaUrl}/v1/data/moraine/authz/allow` } })
  root = s3Of(server)
  await root.send(new CreateBucketCommand({ Bucket: 'shared' }))
  for (const Key of ['public/a', 'private/a']) await root.send(new PutObjectCommand({ Bucket: 'shared', Key, Body: Key }))
  readerKey = await newUser('reader')
  reader = s3Of(readerKey)
})
afterAll(async () => {
  await server.stop()
  opa.kill('SIGKILL')
})

test('the service’s answer is enough, for a user without any policy here', async () => {
  expect(await get(reader, 'public/a')).toBe('none')
  expect(await get(reader, 'private/a')).toBe('AccessDenied')
  expect((await reader.send(new ListObjectsV2Command({ Bucket: 'shared', Prefix: 'public/' }))).KeyCount).toBe(1)
  expect(await codeOf(reader.send(new ListObjectsV2Command({ Bucket: 'shared', Prefix: 'private/' })))).toBe('AccessDenied')
  expect(await codeOf(reader.send(new PutObjectCommand({ Bucket: 'shared', Key: 'public/b', Body: '' })))).toBe('AccessDenied')
})

test('it is needed, for a user with every policy here', async () => {
  const key = await newUser('powerful')
  await iamOf(server).send(new AttachUserPolicyCommand({ UserName: 'powerful', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }))
  expect(await get(s3Of(key), 'public/a')).toBe('AccessDenied')
  expect(await codeOf(iamOf(key).send(new ListUsersCommand({})))).toBe('AccessDenied')
  await grant({ powerful: ['s3:GetObject', 'iam:ListUsers'] })
  expect(await get(s3Of(key), 'public/a')).toBe('none')
  expect(await codeOf(iamOf(key).send(new ListUsersCommand({})))).toBe('none')
})

test('what it takes back is gone with the next request, on every worker', async () => {
  for (let round = 0; round < 5; round++) {
    await grant({ reader: ['s3:GetObject'] })
    expect(await Promise.all([1, 2, 3, 4].map(() => get(reader, 'private/a')))).toEqual(['none', 'none', 'none', 'none'])
    await grant({})
    expect(await Promise.all([1, 2, 3, 4].map(() => get(reader, 'private/a')))).toEqual(Array.from({ length: 4 }, () => 'AccessDenied'))
  }
})

test('it does not undo what denies or limits here', async () => {
  await grant({ reader: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 'sts:AssumeRole'] })
  const statement = (Effect: string, Action: string) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource: '*' }] })
  const sts = new STSClient({ endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1, credentials: readerKey })
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any', Policy: statement('Allow', 's3:PutObject') }))
  const session = s3Of({ accessKeyId: made?.AccessKeyId ?? '', secretAccessKey: made?.SecretAccessKey ?? '', sessionToken: made?.SessionToken ?? '' })
  expect(await get(session, 'public/a')).toBe('AccessDenied')
  expect(await codeOf(session.send(new PutObjectCommand({ Bucket: 'shared', Key: 'public/c', Body: '' })))).toBe('none')
  await iamOf(server).send(new PutUserPolicyCommand({ UserName: 'reader', PolicyName: 'no', PolicyDocument: statement('Deny', 's3:DeleteObject') }))
  const { Errors } = await reader.send(new DeleteObjectsCommand({ Bucket: 'shared', Delete: { Objects: [{ Key: 'public/a' }] } }))
  expect(Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied'])
})

test('the catalog asks it too', async () => {
  const form = { grant_type: 'client_credentials', client_id: readerKey.accessKeyId, client_secret: readerKey.secretAccessKey }
  const granted = await fetch(`${server.endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = (await granted.json()) as { readonly access_token: string }
  const config = async () => (await fetch(`${server.endpoint}/iceberg/v1/config?warehouse=lake`, { headers: { authorization: `Bearer ${token}` } })).status
  await grant({})
  expect(await config()).toBe(403)
  await grant({ reader: ['s3tables:GetConfig'] })
  expect(await config()).toBe(200)
})

test('while it hangs nothing is allowed, and nobody waits for long; nor when it is gone, the root included', async () => {
  opa.kill('SIGSTOP')
  const startedAtMs = Date.now()
  expect(await Promise.all([get(reader, 'public/a'), get(root, 'public/a'), get(reader, 'private/a')])).toEqual(['AccessDenied', 'AccessDenied', 'AccessDenied'])
  expect(Date.now() - startedAtMs).toBeLessThan(15_000)
  opa.kill('SIGCONT')
  await stopOpa()
  expect(await Promise.all([get(reader, 'public/a'), get(root, 'public/a')])).toEqual(['AccessDenied', 'AccessDenied'])
  await expect.poll(() => server.logs(), { timeout: 10_000 }).toContain('the policy service cannot be asked')
  await startOpa()
  expect(await Promise.all([get(reader, 'public/a'), get(root, 'private/a')])).toEqual(['none', 'none'])
})

/** The audit file tells of every request what was decided, and which statement or rule it rests on: S3, the catalog, IAM and STS. */
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { catalogOf } from './catalog.ts'
import { clientsOf, codeOf, credentialsOf, trusting, type Credentials } from './connect.ts'

interface AuditRecord {
  readonly api: { readonly name: string; readonly statusCode: number }
  readonly accessKey?: string
  readonly decision?: { readonly effect: string; readonly because: string }
}

let scratch: string
let server: StartedServer
let userKey: Credentials

const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'Own', Effect: 'Allow', Action: ['s3:*', 's3tables:*', 'sts:AssumeRole'], Resource: '*' },
    { Sid: 'NoSecrets', Effect: 'Deny', Action: '*', Resource: ['arn:aws:s3:::lake/secret/*', 'arn:aws:s3tables:::bucket/lake/namespace/secret*'] },
  ],
})

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-audit-'))
  server = await startServer({ workers: 2, env: { MORAINE_AUDIT_FILE: join(scratch, 'audit.log') } })
  const { iam, sts } = clientsOf(server.endpoint, server)
  await iam.send(new CreateUserCommand({ UserName: 'ann' }))
  await iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'own', PolicyDocument: policy }))
  userKey = credentialsOf((await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))).AccessKey)
  const { Account } = await sts.send(new GetCallerIdentityCommand({}))
  await iam.send(new CreateRoleCommand({ RoleName: 'reader', AssumeRolePolicyDocument: trusting({ AWS: `arn:aws:iam::${Account}:user/ann` }) }))
}, 90_000)
afterAll(async () => {
  await server.stop()
  await rm(scratch, { recursive: true })
}, 60_000)

test('every decision, with its reason', async () => {
  const { s3, iam, sts } = clientsOf(server.endpoint, userKey)
  const catalog = await catalogOf(server, userKey)
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a', Body: 'a' }))
  expect(await codeOf(s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'secret/a' })))).toBe('AccessDenied')
  expect((await catalog('POST', 'namespaces', { namespace: ['open'] })).status).toBe(200)
  expect((await catalog('GET', 'namespaces')).status).toBe(200)
  expect((await catalog('GET', 'namespaces/secret')).status).toBe(403)
  expect(await codeOf(iam.send(new ListUsersCommand({})))).toBe('AccessDenied')
  const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}))
  const role = (RoleName: string) => ({ RoleArn: `arn:aws:iam::${Account}:role/${RoleName}`, RoleSessionName: 'audited' })
  await sts.send(new AssumeRoleCommand(role('reader')))
  expect(await codeOf(sts.send(new AssumeRoleCommand(role('missing'))))).toBe('AccessDenied')

  const own = `${Arn}#own`
  const wanted: readonly (readonly [name: string, effect: string, because: string])[] = [
    ['PutObject', 'allow', `s3:PutObject: ${own}, statement 1 (Own), allows it`],
    ['GetObject', 'deny', `s3:GetObject: ${own}, statement 2 (NoSecrets), denies it`],
    ['createNamespace', 'allow', `s3tables:CreateNamespace: ${own}, statement 1 (Own), allows it`],
    ['listNamespaces', 'allow', `s3tables:ListNamespaces: ${own}, statement 1 (Own), allows it`],
    ['loadNamespaceMetadata', 'deny', `s3tables:GetNamespace: ${own}, statement 2 (NoSecrets), denies it`],
    ['ListUsers', 'deny', 'iam:ListUsers: nothing in the caller’s own policies allows it'],
    ['GetCallerIdentity', 'allow', 'sts:GetCallerIdentity: every caller may'],
    ['AssumeRole', 'allow', `sts:AssumeRole: arn:aws:iam::${Account}:role/reader#trust, statement 1, allows it`],
  ]
  const recordsOf = async (): Promise<AuditRecord[]> =>
    (await readFile(join(scratch, 'audit.log'), 'utf8')).split('\n').slice(0, -1).map(line => JSON.parse(line) as AuditRecord).filter(({ accessKey }) => accessKey === userKey.accessKeyId)
  await expect.poll(async () => (await recordsOf()).filter(({ api }) => api.name === 'AssumeRole').length).toBe(2)
  const records = await recordsOf()
  for (const [name, effect, because] of wanted) expect(records.find(({ api }) => api.name === name)?.decision).toEqual({ effect, because })
  expect(records.filter(({ api }) => api.name === 'AssumeRole').at(-1)?.decision?.effect).toBe('deny')
})

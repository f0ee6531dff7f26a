/** Accounts: made by the operator alone, apart from one another, switched off and on. */
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, ListUsersCommand, PutRolePolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { adminRequest } from './admin.ts'
import { allow, clientsOf, codeOf, credentialsOf, trusting, type Clients, type Credentials } from './connect.ts'

let server: StartedServer

interface Answer {
  readonly status: number
  readonly body: { readonly accountId: string; readonly status: string; readonly accessKey: Credentials; readonly accounts: readonly { readonly name: string }[] }
}

async function admin(credentials: Credentials, method: string, path: string, body?: object): Promise<Answer> {
  return (await adminRequest(server, credentials, method, `/accounts${path}`, body)) as Answer
}

async function newAccount(name: string): Promise<{ readonly account: Answer['body']; readonly root: Clients }> {
  const { status, body } = await admin(server, 'POST', '', { name })
  expect(status).toBe(201)
  return { account: body, root: clientsOf(server.endpoint, body.accessKey) }
}

beforeAll(async () => {
  server = await startServer({ workers: 2 })
}, 90_000)
afterAll(() => server.stop(), 60_000)

test('accounts are made, shown and listed by the operator alone', async () => {
  const { account, root } = await newAccount('tenant')
  expect((await root.sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${account.accountId}:root`)
  expect((await admin(server, 'POST', '', { name: 'tenant' })).status).toBe(409)
  expect((await admin(server, 'GET', '/tenant')).body).not.toHaveProperty('accessKey')
  expect((await admin(server, 'GET', '/nobody')).status).toBe(404)
  expect((await admin(server, 'GET', '')).body.accounts.map(({ name }) => name)).toContain('tenant')
  for (const body of [{ name: 'a/b' }, { name: 7 }, { name: 'x', other: '' }, {}]) expect((await admin(server, 'POST', '', body)).status).toBe(400)
  expect((await admin(account.accessKey, 'GET', '')).status).toBe(403)
  expect((await admin({ ...server, secretAccessKey: 'wrong-secret' }, 'GET', '')).status).toBe(403)
  expect((await fetch(`${server.endpoint}/_moraine/v1/accounts`)).status).toBe(403)
  const operator = clientsOf(server.endpoint, server)
  const limited = credentialsOf((await operator.sts.send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any', Policy: allow('*') }))).Credentials)
  expect((await admin(limited, 'GET', '')).status).toBe(403)
})

test('accounts do not reach one another, but where both sides grant it', async () => {
  const [one, two] = [await newAccount('one'), await newAccount('two')]
  await one.root.s3.send(new CreateBucketCommand({ Bucket: 'of-one' }))
  await one.root.s3.send(new PutObjectCommand({ Bucket: 'of-one', Key: 'a', Body: 'a' }))
  await one.root.iam.send(new CreateUserCommand({ UserName: 'same' }))
  await two.root.iam.send(new CreateUserCommand({ UserName: 'same' }))
  const read = (clients: Clients) => codeOf(clients.s3.send(new GetObjectCommand({ Bucket: 'of-one', Key: 'a' })))
  expect(await read(two.root)).toBe('AccessDenied')
  expect((await two.root.s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([])
  expect((await two.root.iam.send(new ListUsersCommand({}))).Users?.map(user => user.Arn)).toEqual([`arn:aws:iam::${two.account.accountId}:user/same`])
  const RoleArn = `arn:aws:iam::${one.account.accountId}:role/guests`
  await one.root.iam.send(new CreateRoleCommand({ RoleName: 'guests', AssumeRolePolicyDocument: trusting({ AWS: two.account.accountId }) }))
  await one.root.iam.send(new PutRolePolicyCommand({ RoleName: 'guests', PolicyName: 'read', PolicyDocument: allow('s3:GetObject') }))
  const guest = clientsOf(server.endpoint, credentialsOf((await two.root.iam.send(new CreateAccessKeyCommand({ UserName: 'same' }))).AccessKey))
  const assume = () => guest.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'guest' }))
  expect(await codeOf(assume())).toBe('AccessDenied')
  await two.root.iam.send(new PutUserPolicyCommand({ UserName: 'same', PolicyName: 'guest', PolicyDocument: allow('sts:AssumeRole', RoleArn) }))
  const session = clientsOf(server.endpoint, credentialsOf((await assume()).Credentials))
  expect(await read(session)).toBe('none')
  expect(await read(guest)).toBe('AccessDenied')
  await admin(server, 'PATCH', '/one', { sessions: 'revoke' })
  expect(await read(session)).toBe('InvalidToken')
  await admin(server, 'PATCH', '/two', { status: 'Disabled' })
  expect(await codeOf(two.root.s3.send(new ListBucketsCommand({})))).toBe('InvalidAccessKeyId')
  expect(await codeOf(assume())).toBe('InvalidClientTokenId')
  await admin(server, 'PATCH', '/two', { status: 'Enabled' })
  expect(await codeOf(two.root.s3.send(new ListBucketsCommand({})))).toBe('none')
})

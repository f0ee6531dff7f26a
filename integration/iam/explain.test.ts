/** The operator asks what would be decided, and why: by the policies that are stored, for S3, the catalog and IAM. */
import { CreateUserCommand, CreateRoleCommand, GetUserCommand, PutRolePolicyCommand, PutUserPolicyCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam'
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { adminRequest } from './admin.ts'
import { catalogOf } from './catalog.ts'
import { clientsOf, trusting, type Clients } from './connect.ts'

let server: StartedServer
let root: Clients
let bob = ''
let account = ''

interface Explained {
  readonly decision: string
  readonly because: string
  readonly text: string
  readonly statements: readonly { readonly policy: string; readonly sid?: string; readonly outcome: string; readonly condition?: { readonly key: string; readonly given?: readonly string[] } }[]
}

/** From near, unless the question says otherwise. */
async function explain({ context = {}, ...question }: { readonly principal?: string; readonly action: string; readonly resource: string; readonly context?: object }): Promise<Explained> {
  const { status, body } = await adminRequest(server, server, 'POST', '/policies/explain', { ...question, context: { 'aws:SourceIp': '10.1.1.1', ...context } })
  expect([status, body]).toEqual([200, expect.anything()])
  return body as Explained
}

const statusOf = async (question: object): Promise<number> => (await adminRequest(server, server, 'POST', '/policies/explain', question)).status

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  root = clientsOf(server.endpoint, server)
  await root.iam.send(new CreateUserCommand({ UserName: 'bob', Tags: [{ Key: 'team', Value: 'red' }] }))
  const Statement = [
    { Sid: 'Team', Effect: 'Allow', Action: ['s3:GetObject', 's3tables:GetTable', 'iam:GetUser'], Resource: '*', Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } } },
    { Sid: 'Far', Effect: 'Deny', Action: '*', Resource: '*', Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
  ]
  await root.iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'own', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  bob = (await root.iam.send(new GetUserCommand({ UserName: 'bob' }))).User?.Arn ?? ''
  account = bob.split(':')[4] ?? ''
  await root.iam.send(new CreateRoleCommand({ RoleName: 'engine', AssumeRolePolicyDocument: trusting({ AWS: bob }) }))
  await root.iam.send(new PutRolePolicyCommand({ RoleName: 'engine', PolicyName: 'read', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }) }))
  const secret = { Sid: 'Secret', Effect: 'Deny', Principal: { AWS: bob }, Action: 's3:*', Resource: 'arn:aws:s3:::lake/secret/*' }
  await root.s3.send(new PutBucketPolicyCommand({ Bucket: 'lake', Policy: JSON.stringify({ Version: '2012-10-17', Statement: [secret] }) }))
  const catalog = await catalogOf(server, server)
  await catalog('POST', 'namespaces', { namespace: ['sales'] })
  await catalog('POST', 'namespaces/sales/tables', { name: 'orders', schema: { type: 'struct', fields: [] } })
  await catalog('POST', 'namespaces/sales/tables/orders/tags', { tags: { stage: 'live' } })
  const live = { Sid: 'Live', Effect: 'Deny', Principal: { AWS: bob }, Action: 's3tables:*', Resource: '*', Condition: { StringEquals: { 's3tables:TableTag/stage': 'live' } } }
  await catalog('PUT', 'namespaces/sales/tables/orders/policy', { resourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: live }) })
}, 90_000)
afterAll(() => server.stop(), 60_000)

test('an object: which statement allows, which denies, which condition does not hold', async () => {
  const allowed = await explain({ principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a' })
  expect(allowed).toMatchObject({ decision: 'allow', because: `${bob}#own, statement 1 (Team), allows it` })
  const far = await explain({ principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a', context: { 'aws:SourceIp': '8.8.8.8' } })
  expect(far).toMatchObject({ decision: 'deny', because: `${bob}#own, statement 2 (Far), denies it` })
  expect(far.statements.find(({ sid }) => sid === 'Far')).toMatchObject({ outcome: 'applies' })
  const near = await explain({ principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a', context: { 'aws:PrincipalTag/team': ['blue'] } })
  expect(near).toMatchObject({ decision: 'deny', because: 'nothing in the caller’s own policies allows it' })
  expect(near.statements.find(({ sid }) => sid === 'Team')).toMatchObject({ outcome: 'condition', condition: { key: 'aws:PrincipalTag/team', given: ['blue'] } })
  expect(await explain({ principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/secret/a' })).toMatchObject({ decision: 'deny', because: 'policy of bucket lake, statement 1 (Secret), denies it' })
  expect(await explain({ action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a' })).toMatchObject({ decision: 'deny' })
})

test('a table: with its own policy and tags', async () => {
  const orders = 'arn:aws:s3tables:::bucket/lake/namespace/sales/table/orders'
  const denied = await explain({ principal: bob, action: 's3tables:GetTable', resource: orders })
  expect(denied).toMatchObject({ decision: 'deny', because: 'policy of table sales/orders, statement 1 (Live), denies it' })
  expect(await explain({ principal: bob, action: 's3tables:GetTable', resource: orders, context: { 's3tables:TableTag/stage': 'test' } })).toMatchObject({ decision: 'allow' })
  expect(await explain({ principal: bob, action: 's3tables:UpdateTable', resource: 'arn:aws:s3tables:::bucket/lake' })).toMatchObject({ decision: 'deny' })
  expect((await (await catalogOf(server, server))('GET', 'namespaces/sales/tables/orders')).status).toBe(200)
})

test('other principals, other services', async () => {
  for (const principal of [`arn:aws:iam::${account}:role/engine`, `arn:aws:sts::${account}:assumed-role/engine/night`]) {
    expect(await explain({ principal, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/secret/a' })).toMatchObject({ decision: 'allow' })
    expect(await explain({ principal, action: 'iam:GetUser', resource: bob })).toMatchObject({ decision: 'deny' })
  }
  expect(await explain({ principal: bob, action: 'iam:GetUser', resource: bob })).toMatchObject({ decision: 'allow' })
  expect(await explain({ principal: `arn:aws:iam::${account}:root`, action: 's3:DeleteBucket', resource: 'arn:aws:s3:::lake' })).toMatchObject({ decision: 'allow', because: 'the server’s root may do everything' })
})

test('IAM’s own simulation says the same of a stored user', async () => {
  const { EvaluationResults } = await root.iam.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: bob, ActionNames: ['s3:GetObject', 's3:PutObject'], ResourceArns: ['arn:aws:s3:::lake/a'], ContextEntries: [{ ContextKeyName: 'aws:SourceIp', ContextKeyValues: ['10.1.1.1'], ContextKeyType: 'ip' }] }))
  expect(EvaluationResults?.map(({ EvalDecision }) => EvalDecision)).toEqual(['allowed', 'implicitDeny'])
})

test('is for the operator alone, and refuses what it cannot answer', async () => {
  const question = { principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a' }
  expect((await adminRequest(server, { ...server, secretAccessKey: 'wrong-secret' }, 'POST', '/policies/explain', question)).status).toBe(403)
  expect((await fetch(`${server.endpoint}/_moraine/v1/policies/explain`, { method: 'POST', body: JSON.stringify(question) })).status).toBe(403)
  for (const wrong of [{}, { action: 's3:GetObject' }, { ...question, action: 'GetObject' }, { ...question, principal: 7 }, { ...question, context: 'x' }, { ...question, context: { a: [1] } }, { ...question, colour: 'red' }]) {
    expect([wrong, await statusOf(wrong)]).toEqual([wrong, 400])
  }
  for (const missing of [{ ...question, principal: `arn:aws:iam::${account}:user/none` }, { ...question, principal: 'bob' }, { ...question, resource: 'arn:aws:s3:::none/a' }, { ...question, resource: 'arn:aws:s3tables:::bucket/none' }, { ...question, resource: 'arn:aws:s3tables:::bucket/lake/table/0b5c' }, { ...question, resource: 'arn:aws:s3tables:::bucket/%zz' }]) {
    expect([missing, await statusOf(missing)]).toEqual([missing, 404])
  }
})

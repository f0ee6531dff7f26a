/** STS by the SDK: roles, sessions of the caller's own rights, and what ends them. */
import {
  CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteAccessKeyCommand, DeleteRoleCommand, DeleteRolePolicyCommand, PutRolePolicyCommand, PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetAccessKeyInfoCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf, credentialsOf, trusting, type Clients, type Credentials } from './connect.ts'

let server: StartedServer
let root: Clients
let alice: Clients
let aliceKey: Credentials
let account = ''
const as = (shown: Parameters<typeof credentialsOf>[0]): Clients => clientsOf(server.endpoint, credentialsOf(shown))
const roleArn = (name: string): string => `arn:aws:iam::${account}:role/${name}`
const read = (clients: Clients, Key = 'a') => codeOf(clients.s3.send(new GetObjectCommand({ Bucket: 'shared', Key })))

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  root = clientsOf(server.endpoint, server)
  account = (await root.sts.send(new GetCallerIdentityCommand({}))).Account ?? ''
  await root.s3.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await root.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'a' }))
  await root.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'b', Body: 'b' }))
  await root.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  aliceKey = credentialsOf((await root.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))).AccessKey)
  alice = clientsOf(server.endpoint, aliceKey)
  await root.iam.send(new CreateRoleCommand({ RoleName: 'reader', AssumeRolePolicyDocument: trusting({ AWS: `arn:aws:iam::${account}:user/alice` }) }))
  await root.iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'read', PolicyDocument: allow('s3:GetObject', 'arn:aws:s3:::shared/*') }))
}, 90_000)
afterAll(() => server.stop(), 60_000)

const assume = (clients: Clients, RoleName: string, more: Partial<ConstructorParameters<typeof AssumeRoleCommand>[0]> = {}) =>
  clients.sts.send(new AssumeRoleCommand({ RoleArn: roleArn(RoleName), RoleSessionName: 'test', ...more }))

describe('a role', () => {
  test('is assumed by whom it trusts, gives its rights, and says who it is', async () => {
    const answer = await assume(alice, 'reader')
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${account}:assumed-role/reader/test`)
    const session = as(answer.Credentials)
    expect(await session.sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: account, Arn: `arn:aws:sts::${account}:assumed-role/reader/test` })
    expect(await read(session)).toBe('none')
    expect(await codeOf(session.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: '' })))).toBe('AccessDenied')
    expect(await read(alice)).toBe('AccessDenied')
  })

  test('is limited by the session policy, which gives nothing more', async () => {
    const session = as((await assume(alice, 'reader', { Policy: allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::shared/a') })).Credentials)
    expect(await read(session)).toBe('none')
    expect(await read(session, 'b')).toBe('AccessDenied')
    expect(await codeOf(session.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: '' })))).toBe('AccessDenied')
  })

  test('is refused to others, without its conditions, for too long, and where there is none', async () => {
    await root.iam.send(new CreateUserCommand({ UserName: 'mallory' }))
    const mallory = as((await root.iam.send(new CreateAccessKeyCommand({ UserName: 'mallory' }))).AccessKey)
    expect(await codeOf(assume(mallory, 'reader'))).toBe('AccessDenied')
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'mallory', PolicyName: 'all', PolicyDocument: allow('*') }))
    expect(await codeOf(assume(mallory, 'reader'))).toBe('AccessDenied')
    expect(await codeOf(assume(alice, 'reader', { DurationSeconds: 7200 }))).toBe('ValidationError')
    expect(await codeOf(assume(alice, 'reader', { DurationSeconds: 899 }))).toBe('ValidationError')
    expect(await codeOf(assume(alice, 'no-such-role'))).toBe('AccessDenied')
    const AssumeRolePolicyDocument = trusting({ AWS: account }, { Condition: { StringEquals: { 'sts:ExternalId': 'secret' } } })
    await root.iam.send(new CreateRoleCommand({ RoleName: 'external', AssumeRolePolicyDocument }))
    expect(await codeOf(assume(mallory, 'external'))).toBe('AccessDenied')
    expect(await codeOf(assume(mallory, 'external', { ExternalId: 'secret' }))).toBe('none')
    expect(await codeOf(assume(alice, 'external', { ExternalId: 'secret' }))).toBe('AccessDenied')
  })

  test('chains for an hour at most, with transitive tags', async () => {
    const trust = trusting({ AWS: account }, {}, ['sts:AssumeRole', 'sts:TagSession'])
    for (const RoleName of ['first', 'second']) {
      await root.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, MaxSessionDuration: 43_200 }))
      await root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'chain', PolicyDocument: allow(['sts:AssumeRole', 'sts:TagSession']) }))
    }
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'chain', PolicyDocument: allow(['sts:AssumeRole', 'sts:TagSession']) }))
    const first = as((await assume(alice, 'first', { DurationSeconds: 43_200, Tags: [{ Key: 'team', Value: 'red' }], TransitiveTagKeys: ['team'] })).Credentials)
    expect(await codeOf(assume(first, 'second', { DurationSeconds: 3601 }))).toBe('ValidationError')
    expect(await codeOf(assume(first, 'second', { Tags: [{ Key: 'team', Value: 'blue' }] }))).toBe('InvalidParameterValue')
    await root.iam.send(new PutRolePolicyCommand({
      RoleName: 'second', PolicyName: 'team',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } } } }),
    }))
    expect(await read(as((await assume(first, 'second')).Credentials))).toBe('none')
    expect(await read(as((await assume(alice, 'second')).Credentials))).toBe('AccessDenied')
  })

  test('ends its sessions when it is deleted, also when another of its name is made', async () => {
    const AssumeRolePolicyDocument = trusting({ AWS: `arn:aws:iam::${account}:user/alice` })
    const make = async () => {
      await root.iam.send(new CreateRoleCommand({ RoleName: 'brief', AssumeRolePolicyDocument }))
      await root.iam.send(new PutRolePolicyCommand({ RoleName: 'brief', PolicyName: 'read', PolicyDocument: allow('s3:GetObject') }))
    }
    await make()
    const session = as((await assume(alice, 'brief')).Credentials)
    expect(await read(session)).toBe('none')
    await root.iam.send(new DeleteRolePolicyCommand({ RoleName: 'brief', PolicyName: 'read' }))
    expect(await read(session)).toBe('AccessDenied')
    await root.iam.send(new DeleteRoleCommand({ RoleName: 'brief' }))
    expect(await read(session)).toBe('InvalidToken')
    await make()
    expect(await read(session)).toBe('InvalidToken')
  })
})

describe('a session without a role', () => {
  test('has the caller’s rights, less what its policy leaves out, and makes no other', async () => {
    const whole = as((await root.sts.send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any' }))).Credentials)
    expect(await read(whole)).toBe('none')
    const limited = as((await root.sts.send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any', Policy: allow('s3:GetObject', 'arn:aws:s3:::shared/a') }))).Credentials)
    expect(await read(limited)).toBe('none')
    expect(await read(limited, 'b')).toBe('AccessDenied')
    expect(await codeOf(limited.iam.send(new CreateUserCommand({ UserName: 'out' })))).toBe('AccessDenied')
    expect(await codeOf(limited.sts.send(new AssumeRoleCommand({ RoleArn: 'arn:x', RoleSessionName: 'any' })))).toMatch(/AccessDenied|ValidationError/)
    expect(await codeOf(whole.sts.send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any' })))).toBe('AccessDenied')
    expect(await codeOf(whole.sts.send(new GetSessionTokenCommand({})))).toBe('AccessDenied')
  })

  test('ends with the key that made it', async () => {
    await root.iam.send(new CreateUserCommand({ UserName: 'leaver' }))
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'leaver', PolicyName: 'read', PolicyDocument: allow('s3:GetObject') }))
    const key = (await root.iam.send(new CreateAccessKeyCommand({ UserName: 'leaver' }))).AccessKey
    expect((await root.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: key?.AccessKeyId }))).Account).toBe(account)
    const session = as((await as(key).sts.send(new GetSessionTokenCommand({ DurationSeconds: 900 }))).Credentials)
    expect(await read(session)).toBe('none')
    await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'leaver', AccessKeyId: key?.AccessKeyId }))
    expect(await Promise.all([read(session), read(session), read(session)])).toEqual(['InvalidToken', 'InvalidToken', 'InvalidToken'])
  })
})

describe('credentials of a session', () => {
  test('are refused with another’s token, a changed one, none, and a long-term key’s with one', async () => {
    const one = credentialsOf((await assume(alice, 'reader')).Credentials)
    const two = credentialsOf((await assume(alice, 'reader')).Credentials)
    const use = (credentials: Credentials) => read(clientsOf(server.endpoint, credentials))
    expect(await use(one)).toBe('none')
    expect(await use({ ...one, sessionToken: two.sessionToken ?? '' })).toBe('InvalidToken')
    expect(await use({ ...one, secretAccessKey: two.secretAccessKey })).toBe('SignatureDoesNotMatch')
    expect(await use({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey })).toBe('InvalidAccessKeyId')
    expect(await use({ ...one, sessionToken: `B${(one.sessionToken ?? '').slice(1)}` })).toBe('InvalidToken')
    expect(await use({ ...aliceKey, sessionToken: one.sessionToken ?? '' })).toBe('InvalidToken')
  })
})

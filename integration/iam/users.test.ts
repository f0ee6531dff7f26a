/** Users, keys, groups and managed policies by the SDK: what they may do in S3 changes with the very next request. */
import {
  AddUserToGroupCommand, AttachGroupPolicyCommand, AttachUserPolicyCommand, CreateAccessKeyCommand, CreateGroupCommand, CreatePolicyCommand,
  CreatePolicyVersionCommand, CreateUserCommand, DeleteAccessKeyCommand, DeletePolicyCommand, DeleteUserCommand, DeleteUserPolicyCommand, DetachGroupPolicyCommand,
  DetachUserPolicyCommand, GetGroupCommand, GetPolicyVersionCommand, GetUserCommand, GetUserPolicyCommand, ListAccessKeysCommand, ListEntitiesForPolicyCommand,
  ListPoliciesCommand, ListUsersCommand, paginateListUsers, PutUserPermissionsBoundaryCommand, PutUserPolicyCommand, RemoveUserFromGroupCommand, SimulatePrincipalPolicyCommand,
  TagUserCommand, UpdateAccessKeyCommand, UpdateUserCommand,
} from '@aws-sdk/client-iam'
import { CreateBucketCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf, credentialsOf, type Clients } from './connect.ts'

let server: StartedServer
let root: Clients
let account = ''
const as = (shown: Parameters<typeof credentialsOf>[0]): Clients => clientsOf(server.endpoint, credentialsOf(shown))

async function newUser(UserName: string): Promise<Clients> {
  await root.iam.send(new CreateUserCommand({ UserName }))
  return as((await root.iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey)
}

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  root = clientsOf(server.endpoint, server)
  account = (await root.sts.send(new GetCallerIdentityCommand({}))).Account ?? ''
  await root.s3.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await root.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'a' }))
}, 90_000)
afterAll(() => server.stop(), 60_000)

describe('a user', () => {
  test('is made, shown, tagged, listed, renamed and deleted', async () => {
    const made = await root.iam.send(new CreateUserCommand({ UserName: 'Ada', Path: '/team/', Tags: [{ Key: 'a', Value: 'b' }] }))
    expect(made.User).toMatchObject({ UserName: 'Ada', Path: '/team/', Arn: `arn:aws:iam::${account}:user/team/Ada`, Tags: [{ Key: 'a', Value: 'b' }] })
    expect(made.User?.UserId).toMatch(/^AIDA[A-Z2-7]{17}$/)
    expect(await codeOf(root.iam.send(new CreateUserCommand({ UserName: 'ADA' })))).toBe('EntityAlreadyExists')
    await root.iam.send(new TagUserCommand({ UserName: 'ada', Tags: [{ Key: 'c', Value: 'd' }] }))
    expect((await root.iam.send(new GetUserCommand({ UserName: 'Ada' }))).User?.Tags).toHaveLength(2)
    expect((await root.iam.send(new ListUsersCommand({ PathPrefix: '/team/' }))).Users?.map(user => user.UserName)).toEqual(['Ada'])
    await root.iam.send(new UpdateUserCommand({ UserName: 'Ada', NewUserName: 'Lovelace' }))
    expect(await codeOf(root.iam.send(new GetUserCommand({ UserName: 'Ada' })))).toBe('NoSuchEntity')
    await root.iam.send(new DeleteUserCommand({ UserName: 'Lovelace' }))
    expect(await codeOf(root.iam.send(new DeleteUserCommand({ UserName: 'Lovelace' })))).toBe('NoSuchEntity')
  })

  test('keeps its keys through a new name', async () => {
    const user = await newUser('before')
    await root.iam.send(new UpdateUserCommand({ UserName: 'before', NewUserName: 'after' }))
    expect((await user.sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${account}:user/after`)
    expect((await root.iam.send(new ListAccessKeysCommand({ UserName: 'after' }))).AccessKeyMetadata).toHaveLength(1)
  })

  test('of many is found page by page', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `many-${String(index).padStart(2, '0')}`)
    await Promise.all(names.map(UserName => root.iam.send(new CreateUserCommand({ UserName, Path: '/many/' }))))
    const found: (string | undefined)[] = []
    for await (const page of paginateListUsers({ client: root.iam, pageSize: 4 }, { PathPrefix: '/many/' })) found.push(...(page.Users ?? []).map(user => user.UserName))
    expect(found).toEqual(names)
  })
})

describe('rights', () => {
  test('are none at first, then those of inline policies, and end with them', async () => {
    const user = await newUser('inline')
    const read = () => codeOf(user.s3.send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))
    expect(await read()).toBe('AccessDenied')
    const PolicyDocument = allow('s3:GetObject', 'arn:aws:s3:::shared/*')
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'inline', PolicyName: 'read', PolicyDocument }))
    expect(await read()).toBe('none')
    expect(await codeOf(user.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'b' })))).toBe('AccessDenied')
    const shown = await root.iam.send(new GetUserPolicyCommand({ UserName: 'inline', PolicyName: 'read' }))
    expect(decodeURIComponent(shown.PolicyDocument ?? '')).toBe(PolicyDocument)
    expect(await codeOf(root.iam.send(new DeleteUserCommand({ UserName: 'inline' })))).toBe('DeleteConflict')
    await root.iam.send(new DeleteUserPolicyCommand({ UserName: 'inline', PolicyName: 'read' }))
    expect(await read()).toBe('AccessDenied')
  })

  test('come with groups and managed policies, by their default version, and within a boundary', async () => {
    const user = await newUser('grouped')
    const read = () => codeOf(user.s3.send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))
    const { Policy } = await root.iam.send(new CreatePolicyCommand({ PolicyName: 'reader', PolicyDocument: allow('s3:GetObject', 'arn:aws:s3:::shared/*') }))
    const PolicyArn = Policy?.Arn ?? ''
    await root.iam.send(new CreateGroupCommand({ GroupName: 'readers' }))
    await root.iam.send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn }))
    await root.iam.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'grouped' }))
    expect((await root.iam.send(new GetGroupCommand({ GroupName: 'readers' }))).Users?.map(member => member.UserName)).toEqual(['grouped'])
    expect(await read()).toBe('none')
    const version = await root.iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('s3:PutObject', 'arn:aws:s3:::shared/*'), SetAsDefault: true }))
    expect(version.PolicyVersion?.VersionId).toBe('v2')
    expect(await read()).toBe('AccessDenied')
    expect(decodeURIComponent((await root.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }))).PolicyVersion?.Document ?? '')).toContain('GetObject')
    await root.iam.send(new AttachUserPolicyCommand({ UserName: 'grouped', PolicyArn: 'arn:aws:iam::aws:policy/readwrite' }))
    expect(await read()).toBe('none')
    await root.iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'grouped', PermissionsBoundary: PolicyArn }))
    expect(await read()).toBe('AccessDenied')
    expect((await root.iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }))).PolicyGroups?.map(group => group.GroupName)).toEqual(['readers'])
    expect(await codeOf(root.iam.send(new DeletePolicyCommand({ PolicyArn })))).toBe('DeleteConflict')
    await root.iam.send(new DetachGroupPolicyCommand({ GroupName: 'readers', PolicyArn }))
    await root.iam.send(new RemoveUserFromGroupCommand({ GroupName: 'readers', UserName: 'grouped' }))
    await root.iam.send(new DetachUserPolicyCommand({ UserName: 'grouped', PolicyArn: 'arn:aws:iam::aws:policy/readwrite' }))
  })

  test('of IAM itself are given by policies, and are the account’s own otherwise', async () => {
    const user = await newUser('operator')
    expect(await codeOf(user.iam.send(new ListUsersCommand({})))).toBe('AccessDenied')
    expect(await codeOf(user.iam.send(new CreateAccessKeyCommand({})))).toBe('AccessDenied')
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'operator', PolicyName: 'self', PolicyDocument: allow('iam:*AccessKey*', `arn:aws:iam::${account}:user/operator`) }))
    expect(await codeOf(user.iam.send(new CreateAccessKeyCommand({})))).toBe('none')
    expect(await codeOf(user.iam.send(new CreateAccessKeyCommand({})))).toBe('LimitExceeded')
    expect(await codeOf(user.iam.send(new CreateAccessKeyCommand({ UserName: 'grouped' })))).toBe('AccessDenied')
    expect(await codeOf(user.iam.send(new AttachUserPolicyCommand({ UserName: 'operator', PolicyArn: 'arn:aws:iam::aws:policy/consoleAdmin' })))).toBe('AccessDenied')
  })

  test('are explained', async () => {
    const answer = await root.iam.send(new SimulatePrincipalPolicyCommand({
      PolicySourceArn: `arn:aws:iam::${account}:user/operator`, ActionNames: ['iam:CreateAccessKey', 's3:GetObject'], ResourceArns: [`arn:aws:iam::${account}:user/operator`],
    }))
    expect(answer.EvaluationResults?.map(result => result.EvalDecision)).toEqual(['allowed', 'implicitDeny'])
  })
})

describe('an access key', () => {
  test('that is off or gone is refused by the next request, and its secret is shown once', async () => {
    const user = await newUser('keyed')
    const identity = () => codeOf(user.s3.send(new ListBucketsCommand({})))
    const { AccessKeyMetadata: [key] = [] } = await root.iam.send(new ListAccessKeysCommand({ UserName: 'keyed' }))
    expect(key).not.toHaveProperty('SecretAccessKey')
    const AccessKeyId = key?.AccessKeyId ?? ''
    expect(await identity()).not.toBe('InvalidAccessKeyId')
    for (let round = 0; round < 5; round++) {
      await root.iam.send(new UpdateAccessKeyCommand({ UserName: 'keyed', AccessKeyId, Status: 'Inactive' }))
      expect(await Promise.all([identity(), identity(), identity(), identity()])).toEqual(Array.from({ length: 4 }, () => 'InvalidAccessKeyId'))
      await root.iam.send(new UpdateAccessKeyCommand({ UserName: 'keyed', AccessKeyId, Status: 'Active' }))
      expect(await identity()).not.toBe('InvalidAccessKeyId')
    }
    await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'keyed', AccessKeyId }))
    expect(await identity()).toBe('InvalidAccessKeyId')
    expect(await codeOf(user.sts.send(new GetCallerIdentityCommand({})))).toBe('InvalidClientTokenId')
  })
})

describe('refusals', () => {
  test('name what is wrong with a document', async () => {
    expect(await codeOf(root.iam.send(new CreatePolicyCommand({ PolicyName: 'bad', PolicyDocument: '{"Version":"2012-10-17"}' })))).toBe('MalformedPolicyDocument')
    expect(await codeOf(root.iam.send(new CreatePolicyCommand({ PolicyName: 'bad name', PolicyDocument: allow('s3:*') })))).toBe('ValidationError')
    expect(await codeOf(root.iam.send(new DeletePolicyCommand({ PolicyArn: 'arn:aws:iam::aws:policy/readwrite' })))).toBe('AccessDenied')
  })

  test('of actions and parameters that are none', async () => {
    const { Policies = [] } = await root.iam.send(new ListPoliciesCommand({ Scope: 'AWS' }))
    expect(Policies.map(policy => policy.PolicyName)).toEqual(expect.arrayContaining(['readwrite', 'readonly', 'writeonly', 'diagnostics', 'consoleAdmin', 'tablesAdmin']))
    const post = async (body: string) => (await fetch(server.endpoint, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).text()
    expect(await post('Action=Nonsense&Version=2010-05-08')).toContain('<Code>InvalidAction</Code>')
    expect(await post('Action=CreateUser&Version=2011-01-01')).toContain('<Code>InvalidAction</Code>')
    expect(await post('Version=2010-05-08')).toContain('<Code>MissingAction</Code>')
    expect(await post('Action=ListUsers&Version=2010-05-08')).toContain('<Code>MissingAuthenticationToken</Code>')
    expect(await post('Action=ListUsers&Version=2010-05-08&Bogus=1')).toContain('<Code>ValidationError</Code>')
    expect(await post('Action=ListUsers&Version=2010-05-08&Action=CreateUser')).toContain('<Code>ValidationError</Code>')
  })
})

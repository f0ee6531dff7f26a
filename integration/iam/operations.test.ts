/** Every call of IAM that `docs/identities.md` says is served, by the SDK: the life of one of each thing, from nothing to gone. */
import { readFileSync } from 'node:fs'
import * as iamClient from '@aws-sdk/client-iam'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf, trusting, type Clients } from './connect.ts'

let server: StartedServer
let root: Clients
let account = ''
const page = readFileSync(new URL('../../docs/identities.md', import.meta.url), 'utf8')
const served = /^Calls of IAM:(.*?)\.$/ms.exec(page)?.[1]?.match(/`(\w+)`/g)?.map(name => name.slice(1, -1)) ?? []
const called = new Set<string>()

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  root = clientsOf(server.endpoint, server)
  account = (await root.sts.send(new GetCallerIdentityCommand({}))).Account ?? ''
  for (const UserName of ['ada', 'bob']) await root.iam.send(new CreateUserCommand({ UserName, Path: '/team/' }))
}, 90_000)
afterAll(() => server.stop(), 60_000)

type Answer = Readonly<Record<string, unknown>>

/** Calls by name, as the SDK has it. */
async function call(name: string, input: object = {}): Promise<Answer> {
  called.add(name)
  const Command = (iamClient as unknown as Readonly<Record<string, new (input: object) => CreateUserCommand>>)[`${name}Command`]
  if (Command === undefined) throw new Error(`the SDK has no ${name}`)
  return (await root.iam.send(new Command(input))) as unknown as Answer
}

type Step = readonly [name: string, input: object, answer: object] | readonly [name: string, input: object]

async function walk(steps: readonly Step[]): Promise<void> {
  for (const [name, input, answer = {}] of steps) {
    const { $metadata, ...found } = await call(name, input).catch((error: unknown) => Promise.reject(new Error(`${name} ${JSON.stringify(input)}: ${String(error)}`)))
    expect({ name, status: ($metadata as { readonly httpStatusCode?: number }).httpStatusCode, found }).toMatchObject({ name, status: 200, found: answer })
  }
}

const PolicyName = 'inline'
const document = allow('s3:GetObject', 'arn:aws:s3:::a/*')
/** As AWS shows documents: RFC 3986, which leaves no asterisk. */
const encode = (text: string): string => encodeURIComponent(text).replaceAll('*', '%2A')
const encoded = encode(document)
const readonly = 'arn:aws:iam::aws:policy/readonly'
const isAttached = { AttachedPolicies: [{ PolicyName: 'readonly', PolicyArn: readonly }] }
const Tags = [{ Key: 'k', Value: 'v' }]

test('users: their policies, boundary, tags, keys, and what they never have', async () => {
  const UserName = 'life'
  await walk([
    ['CreateUser', { UserName, Path: '/a/' }, { User: { UserName, Path: '/a/' } }],
    ['GetUser', { UserName }, { User: { UserName } }],
    ['ListUsers', { PathPrefix: '/a/' }, { Users: [{ UserName }] }],
    ['TagUser', { UserName, Tags }],
    ['ListUserTags', { UserName }, { Tags }],
    ['UntagUser', { UserName, TagKeys: ['k'] }],
    ['ListUserTags', { UserName }, { Tags: [] }],
    ['PutUserPolicy', { UserName, PolicyName, PolicyDocument: document }],
    ['ListUserPolicies', { UserName }, { PolicyNames: [PolicyName] }],
    ['GetUserPolicy', { UserName, PolicyName }, { UserName, PolicyName, PolicyDocument: encoded }],
    ['DeleteUserPolicy', { UserName, PolicyName }],
    ['ListUserPolicies', { UserName }, { PolicyNames: [] }],
    ['AttachUserPolicy', { UserName, PolicyArn: readonly }],
    ['ListAttachedUserPolicies', { UserName }, isAttached],
    ['DetachUserPolicy', { UserName, PolicyArn: readonly }],
    ['ListAttachedUserPolicies', { UserName }, { AttachedPolicies: [] }],
    ['PutUserPermissionsBoundary', { UserName, PermissionsBoundary: readonly }],
    ['GetUser', { UserName }, { User: { PermissionsBoundary: { PermissionsBoundaryArn: readonly } } }],
    ['DeleteUserPermissionsBoundary', { UserName }],
    ['ListGroupsForUser', { UserName }, { Groups: [] }],
    ['ListMFADevices', { UserName }, { MFADevices: [] }],
    ['ListSSHPublicKeys', { UserName }, { SSHPublicKeys: [] }],
    ['ListServiceSpecificCredentials', { UserName }, { ServiceSpecificCredentials: [] }],
    ['ListSigningCertificates', { UserName }, { Certificates: [] }],
  ])
  expect((await call('GetUser', { UserName }))['User']).not.toHaveProperty('PermissionsBoundary')
  for (const name of ['GetLoginProfile', 'DeleteLoginProfile']) expect(await codeOf(call(name, { UserName }))).toBe('NoSuchEntity')
  const { AccessKey } = (await call('CreateAccessKey', { UserName })) as { readonly AccessKey: { readonly AccessKeyId: string; readonly SecretAccessKey: string } }
  expect(AccessKey.SecretAccessKey).toHaveLength(40)
  const { AccessKeyId } = AccessKey
  await walk([
    ['UpdateAccessKey', { UserName, AccessKeyId, Status: 'Inactive' }],
    ['ListAccessKeys', { UserName }, { AccessKeyMetadata: [{ AccessKeyId, Status: 'Inactive' }] }],
    ['GetAccessKeyLastUsed', { AccessKeyId }, { UserName, AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } }],
    ['DeleteAccessKey', { UserName, AccessKeyId }],
    ['ListAccessKeys', { UserName }, { AccessKeyMetadata: [] }],
    ['UpdateUser', { UserName, NewUserName: 'afterlife' }],
    ['DeleteUser', { UserName: 'afterlife' }],
  ])
  expect(await codeOf(call('GetUser', { UserName: 'afterlife' }))).toBe('NoSuchEntity')
})

test('groups: members, policies, a new name when empty', async () => {
  const GroupName = 'crew'
  await walk([
    ['CreateGroup', { GroupName, Path: '/b/' }, { Group: { GroupName, Arn: `arn:aws:iam::${account}:group/b/${GroupName}` } }],
    ['ListGroups', { PathPrefix: '/b/' }, { Groups: [{ GroupName }] }],
    ['AddUserToGroup', { GroupName, UserName: 'ada' }],
    ['GetGroup', { GroupName }, { Users: [{ UserName: 'ada' }] }],
    ['ListGroupsForUser', { UserName: 'ada' }, { Groups: [{ GroupName }] }],
    ['PutGroupPolicy', { GroupName, PolicyName, PolicyDocument: document }],
    ['ListGroupPolicies', { GroupName }, { PolicyNames: [PolicyName] }],
    ['GetGroupPolicy', { GroupName, PolicyName }, { GroupName, PolicyDocument: encoded }],
    ['AttachGroupPolicy', { GroupName, PolicyArn: readonly }],
    ['ListAttachedGroupPolicies', { GroupName }, isAttached],
    ['ListEntitiesForPolicy', { PolicyArn: readonly, EntityFilter: 'Group' }, { PolicyGroups: [{ GroupName }], PolicyUsers: [] }],
  ])
  expect(await codeOf(call('DeleteGroup', { GroupName }))).toBe('DeleteConflict')
  expect(await codeOf(call('UpdateGroup', { GroupName, NewGroupName: 'band' }))).toBe('DeleteConflict')
  await walk([
    ['RemoveUserFromGroup', { GroupName, UserName: 'ada' }],
    ['UpdateGroup', { GroupName, NewGroupName: 'band', NewPath: '/c/' }],
    ['GetGroup', { GroupName: 'band' }, { Group: { Path: '/c/' }, Users: [] }],
    ['ListAttachedGroupPolicies', { GroupName: 'band' }, isAttached],
    ['ListEntitiesForPolicy', { PolicyArn: readonly }, { PolicyGroups: [{ GroupName: 'band' }] }],
    ['DetachGroupPolicy', { GroupName: 'band', PolicyArn: readonly }],
    ['DeleteGroupPolicy', { GroupName: 'band', PolicyName }],
    ['DeleteGroup', { GroupName: 'band' }],
    ['ListGroups', { PathPrefix: '/c/' }, { Groups: [] }],
  ])
})

test('roles: trust, policies, boundary, tags', async () => {
  const RoleName = 'worker'
  const trust = trusting({ AWS: `arn:aws:iam::${account}:user/team/ada` })
  const wider = trusting({ AWS: `arn:aws:iam::${account}:root` })
  await walk([
    ['CreateRole', { RoleName, Path: '/d/', AssumeRolePolicyDocument: trust, Description: 'first' }, { Role: { RoleName, Description: 'first' } }],
    ['GetRole', { RoleName }, { Role: { AssumeRolePolicyDocument: encode(trust), MaxSessionDuration: 3600 } }],
    ['ListRoles', { PathPrefix: '/d/' }, { Roles: [{ RoleName }] }],
    ['UpdateAssumeRolePolicy', { RoleName, PolicyDocument: wider }],
    ['UpdateRole', { RoleName, Description: 'second', MaxSessionDuration: 7200 }],
    ['GetRole', { RoleName }, { Role: { AssumeRolePolicyDocument: encode(wider), MaxSessionDuration: 7200, Description: 'second' } }],
    ['UpdateRoleDescription', { RoleName, Description: 'third' }, { Role: { Description: 'third' } }],
    ['TagRole', { RoleName, Tags }],
    ['ListRoleTags', { RoleName }, { Tags }],
    ['UntagRole', { RoleName, TagKeys: ['k'] }],
    ['ListRoleTags', { RoleName }, { Tags: [] }],
    ['PutRolePolicy', { RoleName, PolicyName, PolicyDocument: document }],
    ['ListRolePolicies', { RoleName }, { PolicyNames: [PolicyName] }],
    ['GetRolePolicy', { RoleName, PolicyName }, { RoleName, PolicyDocument: encoded }],
    ['AttachRolePolicy', { RoleName, PolicyArn: readonly }],
    ['ListAttachedRolePolicies', { RoleName }, isAttached],
    ['PutRolePermissionsBoundary', { RoleName, PermissionsBoundary: readonly }],
    ['GetRole', { RoleName }, { Role: { PermissionsBoundary: { PermissionsBoundaryArn: readonly } } }],
    ['DeleteRolePermissionsBoundary', { RoleName }],
    ['ListInstanceProfilesForRole', { RoleName }, { InstanceProfiles: [] }],
    ['DetachRolePolicy', { RoleName, PolicyArn: readonly }],
  ])
  expect((await call('GetRole', { RoleName }))['Role']).not.toHaveProperty('PermissionsBoundary')
  expect(await codeOf(call('DeleteRole', { RoleName }))).toBe('DeleteConflict')
  await walk([['DeleteRolePolicy', { RoleName, PolicyName }], ['DeleteRole', { RoleName }], ['ListRoles', { PathPrefix: '/d/' }, { Roles: [] }]])
})

test('managed policies: versions, tags, simulation', async () => {
  const PolicyArn = `arn:aws:iam::${account}:policy/e/managed`
  const wider = allow(['s3:GetObject', 's3:PutObject'])
  await walk([
    ['CreatePolicy', { PolicyName: 'managed', Path: '/e/', PolicyDocument: document, Tags }, { Policy: { Arn: PolicyArn, DefaultVersionId: 'v1' } }],
    ['ListPolicies', { Scope: 'Local', PathPrefix: '/e/' }, { Policies: [{ PolicyName: 'managed', AttachmentCount: 0 }] }],
    ['ListPolicyTags', { PolicyArn }, { Tags }],
    ['UntagPolicy', { PolicyArn, TagKeys: ['k'] }],
    ['ListPolicyTags', { PolicyArn }, { Tags: [] }],
    ['TagPolicy', { PolicyArn, Tags: [{ Key: 'l', Value: 'w' }] }],
    ['GetPolicy', { PolicyArn }, { Policy: { Tags: [{ Key: 'l', Value: 'w' }] } }],
    ['CreatePolicyVersion', { PolicyArn, PolicyDocument: wider }, { PolicyVersion: { VersionId: 'v2', IsDefaultVersion: false } }],
    ['SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v2' }],
    ['GetPolicyVersion', { PolicyArn, VersionId: 'v2' }, { PolicyVersion: { IsDefaultVersion: true, Document: encode(wider) } }],
    ['AttachUserPolicy', { UserName: 'bob', PolicyArn }],
    ['SimulatePrincipalPolicy', { PolicySourceArn: `arn:aws:iam::${account}:user/team/bob`, ActionNames: ['s3:PutObject', 's3:DeleteObject'] }, { EvaluationResults: [{ EvalDecision: 'allowed' }, { EvalDecision: 'implicitDeny' }] }],
    ['DetachUserPolicy', { UserName: 'bob', PolicyArn }],
    ['SimulateCustomPolicy', { PolicyInputList: [document], ActionNames: ['s3:GetObject'], ResourceArns: ['arn:aws:s3:::a/b', 'arn:aws:s3:::b/b'] }, { EvaluationResults: [{ EvalDecision: 'allowed' }, { EvalDecision: 'implicitDeny' }] }],
  ])
  expect(await codeOf(call('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' }))).toBe('DeleteConflict')
  expect(await codeOf(call('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v9' }))).toBe('NoSuchEntity')
  await walk([
    ['DeletePolicyVersion', { PolicyArn, VersionId: 'v1' }],
    ['ListPolicyVersions', { PolicyArn }, { Versions: [{ VersionId: 'v2' }] }],
    ['DeletePolicy', { PolicyArn }],
    ['ListPolicies', { Scope: 'Local', PathPrefix: '/e/' }, { Policies: [] }],
  ])
})

test('identity providers, and the account at a glance', async () => {
  const OpenIDConnectProviderArn = `arn:aws:iam::${account}:oidc-provider/id.example.org/realm`
  const thumbprint = 'A'.repeat(40)
  await walk([
    ['CreateOpenIDConnectProvider', { Url: 'https://id.example.org/realm', ClientIDList: ['one'] }, { OpenIDConnectProviderArn }],
    ['AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'two' }],
    ['UpdateOpenIDConnectProviderThumbprint', { OpenIDConnectProviderArn, ThumbprintList: [thumbprint] }],
    ['RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'one' }],
    ['GetOpenIDConnectProvider', { OpenIDConnectProviderArn }, { ClientIDList: ['two'], ThumbprintList: [thumbprint] }],
    ['ListOpenIDConnectProviders', {}, { OpenIDConnectProviderList: [{ Arn: OpenIDConnectProviderArn }] }],
    ['GetAccountSummary', {}, { SummaryMap: { Users: 2, Providers: 1 } }],
    ['DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn }],
    ['ListOpenIDConnectProviders', {}, { OpenIDConnectProviderList: [] }],
    ['ListAccountAliases', {}, { AccountAliases: ['root'] }],
  ])
  expect(await codeOf(call('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }))).toBe('NoSuchEntity')
})

test('each call that the page names was made, and every other of the SDK’s is refused', async () => {
  expect([...called].toSorted()).toEqual(served.toSorted())
  const others = Object.keys(iamClient).filter(name => name.endsWith('Command') && name !== '$Command').map(name => name.slice(0, -'Command'.length)).filter(name => !called.has(name))
  expect(others.length).toBeGreaterThan(50)
  const quick = new IAMClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server, maxAttempts: 1 })
  for (const name of others) {
    const Command = (iamClient as unknown as Readonly<Record<string, new (input: object) => CreateUserCommand>>)[`${name}Command`]
    if (Command === undefined) continue
    expect([name, await codeOf(quick.send(new Command({})))]).toEqual([name, expect.stringMatching(/^(NotImplemented|ValidationError)$/)])
  }
})

/** Walks all operations of IAM: none runs without a right to it, and none reaches another account. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { Account, Caller } from '../identity/caller.ts'
import { createIdentityStore, type IdentityStore } from '../identity/identity-store.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { compilePolicy } from '../policy/compile.ts'
import { rootPrincipal, type Principal } from '../policy/principal.ts'
import { QueryError } from '../wire/query-error.ts'
import type { IamOperationName } from '../wire/query-operations.ts'
import { operations } from './operations.ts'
import { createIamService } from './service.ts'

let world: ScratchEngine
let identity: IdentityStore
let service: ReturnType<typeof createIamService>
let ours: Account
let theirs: Account
let keyId = ''
const ourNumber = '111111111111'

const document = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const anything = document({ Effect: 'Allow', Action: '*', Resource: '*' })
const trust = document({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' })
const policyArn = `arn:aws:iam::${ourNumber}:policy/it`
const providerArn = `arn:aws:iam::${ourNumber}:oidc-provider/id.example.org`
const tags = [{ Key: 'k', Value: 'v' }]

const ofUser = { UserName: 'it' }
const ofGroup = { GroupName: 'it' }
const ofRole = { RoleName: 'it' }
const ofPolicy = { PolicyArn: policyArn }
const ofProvider = { OpenIDConnectProviderArn: providerArn }
const named = { PolicyName: 'inline' }
const attached = { PolicyArn: 'arn:aws:iam::aws:policy/readonly' }
const simulated = { ActionNames: ['s3:GetObject'], PolicyInputList: [anything] }

interface Sample {
  readonly input: object
  /** After `arn:aws:iam::ACCOUNT:`; `*` of what is about no one thing. */
  readonly resource: string
}

const on = (resource: string) => (input: object): Sample => ({ input, resource })
const user = on('user/it')
const group = on('group/it')
const role = on('role/it')
const policy = on('policy/it')
const provider = on('oidc-provider/id.example.org')
const account = on('*')

/** A request of each operation about what is there, and what it needs a right to. */
const samples: Readonly<Partial<Record<IamOperationName, () => Sample>>> = {
  AddClientIDToOpenIDConnectProvider: () => provider({ ...ofProvider, ClientID: 'more' }),
  AddUserToGroup: () => group({ ...ofGroup, ...ofUser }),
  AttachGroupPolicy: () => group({ ...ofGroup, ...attached }),
  AttachRolePolicy: () => role({ ...ofRole, ...attached }),
  AttachUserPolicy: () => user({ ...ofUser, ...attached }),
  CreateAccessKey: () => user(ofUser),
  CreateGroup: () => on('group/made')({ GroupName: 'made' }),
  CreateOpenIDConnectProvider: () => on('oidc-provider/other.example.org')({ Url: 'https://other.example.org', ClientIDList: ['a'] }),
  CreatePolicy: () => on('policy/made')({ PolicyName: 'made', PolicyDocument: anything }),
  CreatePolicyVersion: () => policy({ ...ofPolicy, PolicyDocument: anything }),
  CreateRole: () => on('role/made')({ RoleName: 'made', AssumeRolePolicyDocument: trust }),
  CreateUser: () => on('user/made')({ UserName: 'made' }),
  DeleteAccessKey: () => user({ ...ofUser, AccessKeyId: keyId }),
  DeleteGroup: () => group(ofGroup),
  DeleteGroupPolicy: () => group({ ...ofGroup, ...named }),
  DeleteLoginProfile: () => user(ofUser),
  DeleteOpenIDConnectProvider: () => provider(ofProvider),
  DeletePolicy: () => policy(ofPolicy),
  DeletePolicyVersion: () => policy({ ...ofPolicy, VersionId: 'v1' }),
  DeleteRole: () => role(ofRole),
  DeleteRolePermissionsBoundary: () => role(ofRole),
  DeleteRolePolicy: () => role({ ...ofRole, ...named }),
  DeleteUser: () => user(ofUser),
  DeleteUserPermissionsBoundary: () => user(ofUser),
  DeleteUserPolicy: () => user({ ...ofUser, ...named }),
  DetachGroupPolicy: () => group({ ...ofGroup, ...attached }),
  DetachRolePolicy: () => role({ ...ofRole, ...attached }),
  DetachUserPolicy: () => user({ ...ofUser, ...attached }),
  GetAccessKeyLastUsed: () => account({ AccessKeyId: keyId }),
  GetAccountSummary: () => account({}),
  GetGroup: () => group(ofGroup),
  GetGroupPolicy: () => group({ ...ofGroup, ...named }),
  GetLoginProfile: () => user(ofUser),
  GetOpenIDConnectProvider: () => provider(ofProvider),
  GetPolicy: () => policy(ofPolicy),
  GetPolicyVersion: () => policy({ ...ofPolicy, VersionId: 'v1' }),
  GetRole: () => role(ofRole),
  GetRolePolicy: () => role({ ...ofRole, ...named }),
  GetUser: () => user(ofUser),
  GetUserPolicy: () => user({ ...ofUser, ...named }),
  ListAccessKeys: () => user(ofUser),
  ListAccountAliases: () => account({}),
  ListAttachedGroupPolicies: () => group(ofGroup),
  ListAttachedRolePolicies: () => role(ofRole),
  ListAttachedUserPolicies: () => user(ofUser),
  ListEntitiesForPolicy: () => policy(ofPolicy),
  ListGroupPolicies: () => group(ofGroup),
  ListGroups: () => on('group/')({}),
  ListGroupsForUser: () => user(ofUser),
  ListInstanceProfilesForRole: () => role(ofRole),
  ListMFADevices: () => user(ofUser),
  ListOpenIDConnectProviders: () => account({}),
  ListPolicies: () => on('policy/')({}),
  ListPolicyTags: () => policy(ofPolicy),
  ListPolicyVersions: () => policy(ofPolicy),
  ListRolePolicies: () => role(ofRole),
  ListRoleTags: () => role(ofRole),
  ListRoles: () => on('role/')({}),
  ListSSHPublicKeys: () => user(ofUser),
  ListServiceSpecificCredentials: () => user(ofUser),
  ListSigningCertificates: () => user(ofUser),
  ListUserPolicies: () => user(ofUser),
  ListUserTags: () => user(ofUser),
  ListUsers: () => on('user/')({}),
  PutGroupPolicy: () => group({ ...ofGroup, ...named, PolicyDocument: anything }),
  PutRolePermissionsBoundary: () => role({ ...ofRole, PermissionsBoundary: attached.PolicyArn }),
  PutRolePolicy: () => role({ ...ofRole, ...named, PolicyDocument: anything }),
  PutUserPermissionsBoundary: () => user({ ...ofUser, PermissionsBoundary: attached.PolicyArn }),
  PutUserPolicy: () => user({ ...ofUser, ...named, PolicyDocument: anything }),
  RemoveClientIDFromOpenIDConnectProvider: () => provider({ ...ofProvider, ClientID: 'lake' }),
  RemoveUserFromGroup: () => group({ ...ofGroup, ...ofUser }),
  SetDefaultPolicyVersion: () => policy({ ...ofPolicy, VersionId: 'v1' }),
  SimulateCustomPolicy: () => account(simulated),
  SimulatePrincipalPolicy: () => user({ ...simulated, PolicySourceArn: `arn:aws:iam::${ourNumber}:user/it` }),
  TagPolicy: () => policy({ ...ofPolicy, Tags: tags }),
  TagRole: () => role({ ...ofRole, Tags: tags }),
  TagUser: () => user({ ...ofUser, Tags: tags }),
  UntagPolicy: () => policy({ ...ofPolicy, TagKeys: ['k'] }),
  UntagRole: () => role({ ...ofRole, TagKeys: ['k'] }),
  UntagUser: () => user({ ...ofUser, TagKeys: ['k'] }),
  UpdateAccessKey: () => user({ ...ofUser, AccessKeyId: keyId, Status: 'Inactive' }),
  UpdateAssumeRolePolicy: () => role({ ...ofRole, PolicyDocument: trust }),
  UpdateGroup: () => group({ ...ofGroup, NewPath: '/new/' }),
  UpdateOpenIDConnectProviderThumbprint: () => provider({ ...ofProvider, ThumbprintList: ['a'.repeat(40)] }),
  UpdateRole: () => role({ ...ofRole, Description: 'new' }),
  UpdateRoleDescription: () => role({ ...ofRole, Description: 'new' }),
  UpdateUser: () => user({ ...ofUser, NewPath: '/new/' }),
}

const names = Object.keys(operations) as IamOperationName[]
const sampleOf = (name: IamOperationName): Sample => {
  const make = samples[name]
  if (make === undefined) throw new Error(`${name} has no sample`)
  return make()
}
const arnOf = ({ resource }: Sample): string => (resource === '*' ? '*' : `arn:aws:iam::${ourNumber}:${resource}`)

const owner = (of: Account): Caller => ({ principal: rootPrincipal('accountRoot', of), account: of, accessKeyId: 'root' })

function bob(...statements: readonly object[]): Caller {
  const identityPolicies = statements.length === 0 ? [] : [{ name: 'p', policy: compilePolicy(document(...statements), { kind: 'identity' }) }]
  const principal: Principal = {
    ...rootPrincipal('accountRoot', ours), kind: 'user', arn: `arn:aws:iam::${ourNumber}:user/bob`, userId: 'AIDABOB', userName: 'bob', policies: { identity: identityPolicies, limits: [] },
  }
  return { principal, account: ours, accessKeyId: 'bob' }
}

const client = { sourceIp: '127.0.0.1', isSecure: false, userAgent: undefined }
const run = (name: IamOperationName, input: object, caller: Caller | undefined) => service.run(name, input, { caller, client, requestId: 'r', noteDecision: () => {} })

async function codeOf(name: IamOperationName, caller: Caller | undefined): Promise<string> {
  try {
    await run(name, sampleOf(name).input, caller)
    return 'none'
  } catch (error) {
    if (error instanceof QueryError) return error.code
    throw error
  }
}

/** Everything that an account has, as it is stored. */
async function rowsOf(accountId: string): Promise<string> {
  const rows = await identity.extensions.list({ start: Buffer.from(`iam/${accountId}/`), end: Buffer.from(`iam/${accountId}0`), limit: 1000 })
  return rows.map(({ key, value }) => `${key.toString()}=${value.toString('base64')}`).join('\n')
}

beforeAll(async () => {
  world = await openScratchEngine()
  identity = createIdentityStore({ ...world, root: { user: 'root', password: 'root-password' } })
  service = createIamService({ identity, clock: world.clock, random: world.random })
  ours = await identity.ensureAccount({ name: 'ours', displayName: 'ours', email: '', accountId: ourNumber })
  theirs = await identity.ensureAccount({ name: 'theirs', displayName: 'theirs', email: '', accountId: '222222222222' })
  const root = owner(ours)
  await run('CreateUser', { ...ofUser, Tags: tags }, root)
  await run('CreateUser', { UserName: 'bob' }, root)
  await run('CreateGroup', ofGroup, root)
  await run('CreateRole', { ...ofRole, AssumeRolePolicyDocument: trust }, root)
  await run('CreatePolicy', { PolicyName: 'it', PolicyDocument: anything }, root)
  await run('CreateOpenIDConnectProvider', { Url: 'https://id.example.org', ClientIDList: ['lake'] }, root)
  for (const [name, of] of [['User', ofUser], ['Group', ofGroup], ['Role', ofRole]] as const) await run(`Put${name}Policy`, { ...of, ...named, PolicyDocument: anything }, root)
  const { AccessKey } = (await run('CreateAccessKey', ofUser, root)) as { readonly AccessKey: { readonly AccessKeyId: string } }
  keyId = AccessKey.AccessKeyId
})
afterAll(() => world.remove())

test('every operation that is served has a sample', () => {
  expect(Object.keys(samples).toSorted()).toEqual(names.toSorted())
})

describe.each(names)('%s', name => {
  it('does not run without a signature', async () => {
    expect(await codeOf(name, undefined)).toBe('MissingAuthenticationToken')
  })

  it('does not run for a user without policies, nor for one who lacks exactly its action or its resource', async () => {
    const before = await rowsOf(ourNumber)
    const sample = sampleOf(name)
    const others = [`arn:aws:iam::${ourNumber}:user/other`, `arn:aws:iam::${ourNumber}:*/IT`, `arn:aws:iam::222222222222:*`, ...(sample.resource === '*' ? [] : [`${arnOf(sample)}/`, `${arnOf(sample)}x`])]
    const lacking: readonly (readonly object[])[] = [
      [],
      [{ Effect: 'Allow', NotAction: `iam:${name}`, Resource: '*' }],
      [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: `iam:${name}`, Resource: arnOf(sample) }],
      [{ Effect: 'Allow', NotAction: `iam:${name}`, Resource: '*' }, { Effect: 'Allow', Action: `iam:${name}`, Resource: others }],
      [{ Effect: 'Allow', Action: '*', NotResource: arnOf(sample) }],
    ]
    for (const statements of lacking) expect([statements, await codeOf(name, bob(...statements))]).toEqual([statements, 'AccessDenied'])
    expect(await rowsOf(ourNumber)).toBe(before)
  })

  it('changes and shows nothing of another account', async () => {
    const before = await rowsOf(ourNumber)
    const answer = await run(name, sampleOf(name).input, owner(theirs)).catch((error: unknown) => (error instanceof QueryError ? error : Promise.reject(error as Error)))
    expect(await rowsOf(ourNumber)).toBe(before)
    expect(JSON.stringify(answer instanceof QueryError ? answer.code : answer)).not.toContain(ourNumber)
  })
})

test('each runs, or fails for reasons of its own, with exactly its action on exactly its resource', async () => {
  // Those that take something away come last.
  for (const name of names.toSorted((one, other) => Number(/^(Delete|Remove|Detach|Update)/.test(one)) - Number(/^(Delete|Remove|Detach|Update)/.test(other)))) {
    const code = await codeOf(name, bob({ Effect: 'Allow', Action: `iam:${name}`, Resource: arnOf(sampleOf(name)) }))
    expect([name, code]).not.toEqual([name, 'AccessDenied'])
  }
})

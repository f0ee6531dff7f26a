/** Walks all operations of STS: none gives a session, or tells anything, without what it asks for. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { Account, Caller } from '../identity/caller.ts'
import { createIdentityStore, type IdentityStore } from '../identity/identity-store.ts'
import { noProviders, type IdentityProviders } from '../identity/identity-providers.ts'
import { createWebIdentities } from '../identity/oidc/web-identities.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { compilePolicy } from '../policy/compile.ts'
import { rootPrincipal, type Principal } from '../policy/principal.ts'
import { QueryError } from '../wire/query-error.ts'
import type { operations } from './operations.ts'
import { createStsService } from './service.ts'

let world: ScratchEngine
let identity: IdentityStore
let ours: Account
let theirs: Account
const ourNumber = '111111111111'
const theirNumber = '222222222222'
const ourRole = `arn:aws:iam::${ourNumber}:role/it`
const document = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string, Resource: string | readonly string[]): object => ({ Effect: 'Allow', Action, Resource })

/** A directory that nobody answers for, a service that refuses everybody, an issuer without keys. */
const providers: IdentityProviders = {
  ...noProviders,
  ldap: { url: 'ldap://127.0.0.1:1', startTls: false, bindDn: 'cn=lookup', bindPassword: 'x', userBase: 'ou=people', userFilter: '(uid=%s)', policies: {} },
  certificate: {},
  customToken: { url: 'https://identity.example.org/check', roleId: 'external', rolePolicies: ['readonly'] },
}

const inputs: Readonly<Record<keyof typeof operations, object>> = {
  AssumeRole: { RoleArn: ourRole, RoleSessionName: 'any' },
  AssumeRoleWithCertificate: {},
  AssumeRoleWithCustomToken: { Token: 'guess', RoleArn: 'arn:minio:iam:::role/external' },
  AssumeRoleWithLDAPIdentity: { LDAPUsername: 'ada', LDAPPassword: 'guess' },
  AssumeRoleWithWebIdentity: { RoleArn: ourRole, RoleSessionName: 'any', WebIdentityToken: 'a.b.c' },
  GetAccessKeyInfo: { AccessKeyId: 'KEYOFOURS' },
  GetCallerIdentity: {},
  GetSessionToken: {},
}

function bob(account: Account, ...statements: readonly object[]): Caller {
  const policies = statements.length === 0 ? [] : [{ name: 'p', policy: compilePolicy(document(...statements), { kind: 'identity' }) }]
  const principal: Principal = {
    ...rootPrincipal('accountRoot', account), kind: 'user', arn: `arn:aws:iam::${account.accountId}:user/bob`, userId: 'AIDABOB', userName: 'bob', policies: { identity: policies, limits: [] },
  }
  const basis = { accountId: account.accountId, subject: { kind: 'user', name: 'bob', id: 'AIDABOB' } as const, parentKey: 'bob', limits: [], expiresAtMs: undefined }
  return { principal, account, accessKeyId: 'bob', basis }
}

async function codeOf(name: keyof typeof operations, caller: Caller | undefined, input: object = inputs[name]): Promise<string> {
  const service = createStsService({
    identity, clock: world.clock, isRolelessAllowed: true, providers,
    webIdentities: createWebIdentities({ issuers: [], clock: world.clock, fetch }),
    fetch: async () => new Response('{"reason":"no"}', { status: 403 }),
  })
  try {
    await service.run(name, input, { caller, client: { sourceIp: '127.0.0.1', isSecure: false, userAgent: undefined }, requestId: 'r', noteDecision: () => {}, request: new IncomingMessage(new Socket()) })
    return 'none'
  } catch (error) {
    if (error instanceof QueryError) return error.code
    throw error
  }
}

/** `trust` as the principals of the role's trust policy. */
async function roleTrusting(...Principals: readonly string[]): Promise<void> {
  await identity.changeIam(ourNumber, async rows => {
    const trust = document({ Effect: 'Allow', Principal: { AWS: Principals }, Action: ['sts:AssumeRole', 'sts:TagSession'] })
    rows.put('role', { name: 'it', path: '/', id: 'AROAIT', createdAtMs: 0, tags: {}, description: '', trust, maxSessionSeconds: 3600, attached: [], inline: {} })
  })
}

beforeAll(async () => {
  world = await openScratchEngine()
  identity = createIdentityStore({ ...world, root: { user: 'root', password: 'root-password' } })
  ours = await identity.ensureAccount({ name: 'ours', displayName: 'ours', email: '', accountId: ourNumber })
  theirs = await identity.ensureAccount({ name: 'theirs', displayName: 'theirs', email: '', accountId: theirNumber })
  await identity.ensureAccessKey('ours', 'KEYOFOURS', 'secret-of-ours')
  await roleTrusting(`arn:aws:iam::${ourNumber}:root`)
})
afterAll(() => world.remove())

describe('without a signature', () => {
  it.each(Object.keys(inputs) as (keyof typeof operations)[])('%s gives nothing', async name => {
    expect(await codeOf(name, undefined)).toBe({
      AssumeRoleWithCertificate: 'InvalidClientCertificate', AssumeRoleWithCustomToken: 'AccessDenied', AssumeRoleWithLDAPIdentity: 'ServiceUnavailable', AssumeRoleWithWebIdentity: 'InvalidIdentityToken',
      AssumeRole: 'MissingAuthenticationToken', GetAccessKeyInfo: 'MissingAuthenticationToken', GetCallerIdentity: 'MissingAuthenticationToken', GetSessionToken: 'MissingAuthenticationToken',
    }[name])
  })

  it('nothing is signed in where nothing is configured', async () => {
    for (const name of ['AssumeRoleWithCertificate', 'AssumeRoleWithCustomToken', 'AssumeRoleWithLDAPIdentity'] as const) {
      const service = createStsService({
        identity, clock: world.clock, isRolelessAllowed: true, providers: noProviders, webIdentities: createWebIdentities({ issuers: [], clock: world.clock, fetch }), fetch,
      })
      const call = { caller: undefined, client: { sourceIp: undefined, isSecure: false, userAgent: undefined }, requestId: 'r', noteDecision: () => {}, request: new IncomingMessage(new Socket()) }
      await expect(service.run(name, inputs[name], call)).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    }
  })
})

describe.each([['AssumeRole', ourRole], ['GetAccessKeyInfo', '*']] as const)('%s', (name, resource) => {
  it('does not run for a user without policies, nor for one who lacks exactly its action or its resource', async () => {
    const lacking: readonly (readonly object[])[] = [
      [],
      [{ Effect: 'Allow', NotAction: `sts:${name}`, Resource: '*' }],
      [allow('*', '*'), { Effect: 'Deny', Action: `sts:${name}`, Resource: resource }],
      [{ Effect: 'Allow', NotAction: `sts:${name}`, Resource: '*' }, allow(`sts:${name}`, [`${ourRole}2`, `arn:aws:iam::${ourNumber}:ROLE/IT`, `arn:aws:iam::${theirNumber}:role/it`, `arn:aws:iam::${ourNumber}:user/it`])],
      [{ Effect: 'Allow', Action: '*', NotResource: resource }],
    ]
    for (const statements of lacking) expect([statements, await codeOf(name, bob(ours, ...statements))]).toEqual([statements, 'AccessDenied'])
    expect(await codeOf(name, bob(ours, allow(`sts:${name}`, resource)))).toBe('none')
  })
})

test('a role of another account takes both sides: its trust, and a right of the caller’s own', async () => {
  const free = bob(theirs, allow('*', '*'))
  expect(await codeOf('AssumeRole', free)).toBe('AccessDenied')
  await roleTrusting(`arn:aws:iam::${theirNumber}:user/other`, `arn:aws:iam::${theirNumber}:user/BOB`)
  expect(await codeOf('AssumeRole', free)).toBe('AccessDenied')
  await roleTrusting(theirNumber)
  expect(await codeOf('AssumeRole', bob(theirs))).toBe('AccessDenied')
  expect(await codeOf('AssumeRole', bob(theirs, { Effect: 'Allow', NotAction: 'sts:AssumeRole', Resource: '*' }))).toBe('AccessDenied')
  expect(await codeOf('AssumeRole', bob(theirs, allow('sts:AssumeRole', `${ourRole}2`)))).toBe('AccessDenied')
  expect(await codeOf('AssumeRole', free)).toBe('none')
  expect(await codeOf('AssumeRole', bob(ours, allow('*', '*')))).toBe('AccessDenied')
  await roleTrusting(`arn:aws:iam::${ourNumber}:root`)
})

test('tags and a source identity take rights of their own', async () => {
  const assuming = allow('sts:AssumeRole', '*')
  const tagged = { ...inputs.AssumeRole, Tags: [{ Key: 'team', Value: 'a' }] }
  expect(await codeOf('AssumeRole', bob(ours, assuming), tagged)).toBe('AccessDenied')
  expect(await codeOf('AssumeRole', bob(ours, assuming, allow('sts:TagSession', '*')), tagged)).toBe('none')
  expect(await codeOf('AssumeRole', bob(ours, assuming), { ...inputs.AssumeRole, SourceIdentity: 'ada' })).toBe('AccessDenied')
})

test('a role whose name only looks the same is none', async () => {
  const any = bob(ours, allow('*', '*'))
  for (const rest of ['role/IT2', 'role/it/', 'role//it', 'role/../it', 'role/it%2F', 'role/path/it', 'role/ｉｔ']) {
    const code = await codeOf('AssumeRole', any, { RoleArn: `arn:aws:iam::${ourNumber}:${rest}`, RoleSessionName: 'any' })
    // Text that is the ARN of no role at all gives the caller's own rights, as MinIO has it; no role's.
    expect([rest, code]).toEqual([rest, /[^\x21-\x7e]/.test(rest) ? 'none' : 'AccessDenied'])
  }
})

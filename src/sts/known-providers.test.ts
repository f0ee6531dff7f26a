/** Tokens in the shapes of Okta, Entra and Kubernetes: what each gives, and the ones that look right and are not. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdentityStore, type IdentityStore } from '../identity/identity-store.ts'
import { noProviders } from '../identity/identity-providers.ts'
import { providerNameOf, type Issuer } from '../identity/oidc/issuer.ts'
import { createWebIdentities } from '../identity/oidc/web-identities.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { QueryError } from '../wire/query-error.ts'
import { entra, kubernetes, okta, type ProviderFixture } from './provider-fixtures.ts'
import { createStsService } from './service.ts'

let world: ScratchEngine
let identity: IdentityStore
let privateKey: CryptoKey
let publicJwk: JWK
const accountId = '111111111111'

beforeAll(async () => {
  world = await openScratchEngine()
  identity = createIdentityStore({ ...world, root: { user: 'root', password: 'root-password' } })
  await identity.ensureAccount({ name: 'ours', displayName: 'ours', email: '', accountId })
  const pair = await generateKeyPair('RS256', { extractable: true })
  privateKey = pair.privateKey
  publicJwk = await exportJWK(pair.publicKey)
})
afterAll(() => world.remove())

function tokenOf({ tokens, header }: ProviderFixture, kind: string, lifetime: object = {}): Promise<string> {
  const now = Math.floor(world.clock.nowMs() / 1000)
  return new SignJWT({ iat: now, nbf: now, exp: now + 3600, ...lifetime, ...tokens[kind] }).setProtectedHeader({ alg: 'RS256', kid: 'kWbkXBKcdgcOkGvhVi2b', ...header }).sign(privateKey)
}

interface Answer {
  readonly code: string
  readonly message: string
  readonly role?: string
  readonly policies?: readonly string[]
  readonly keys?: Readonly<Record<string, readonly string[]>>
  /** The addresses that were fetched. */
  readonly asked: readonly string[]
}

/** What a token gives at STS, where its provider is `fixture` and known as `settings` say. */
async function signIn(fixture: ProviderFixture, WebIdentityToken: string, settings: Partial<Issuer> & Pick<Issuer, 'clientIds'>, RoleArn = 'arn:x', discovery: object = fixture.discovery): Promise<Answer> {
  const asked: string[] = []
  const keys = { keys: [{ ...publicJwk, kid: 'kWbkXBKcdgcOkGvhVi2b', ...fixture.keyMembers }] }
  const documents: Readonly<Record<string, object>> = { [fixture.discoveryUrl]: discovery, [String(fixture.discovery['jwks_uri'])]: keys }
  const webIdentities = createWebIdentities({
    issuers: [{ name: 'it', issuer: fixture.issuer, policyClaim: 'policy', claimPrefix: '', account: 'ours', ...settings }],
    clock: world.clock,
    fetch: async url => {
      asked.push(url)
      const document = documents[url]
      return document === undefined ? new Response('', { status: 404 }) : Response.json(document)
    },
  })
  const service = createStsService({ identity, clock: world.clock, isRolelessAllowed: true, providers: noProviders, webIdentities, fetch })
  const call = { caller: undefined, client: { sourceIp: undefined, isSecure: true, userAgent: undefined }, requestId: 'r', noteDecision: () => {}, request: new IncomingMessage(new Socket()) }
  try {
    const answer = (await service.run('AssumeRoleWithWebIdentity', { RoleArn, RoleSessionName: 'any', WebIdentityToken }, call)) as { readonly Credentials: { readonly AccessKeyId: string; readonly SessionToken: string } }
    const credentials = await identity.lookupAccessKey(answer.Credentials.AccessKeyId, answer.Credentials.SessionToken)
    const { subject, keys: brought } = credentials?.caller.basis ?? {}
    return {
      code: 'none', message: '', asked,
      ...(subject?.kind === 'role' ? { role: subject.name } : {}), ...(subject?.kind === 'federated' ? { policies: subject.policies } : {}), ...(brought === undefined ? {} : { keys: brought }),
    }
  } catch (error) {
    if (error instanceof QueryError) return { code: error.code, message: error.message, asked }
    throw error
  }
}

/** A role whose trust policy names the provider, and what a token must say besides. */
async function roleTrusting(issuer: string, audience: string, Condition: object): Promise<string> {
  const name = providerNameOf(issuer)
  const trust = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${name}` }, Action: 'sts:AssumeRoleWithWebIdentity', Condition } }
  await identity.changeIam(accountId, async rows => {
    rows.put('provider', { name, path: '/', id: 'OIDC', createdAtMs: 0, clientIds: [audience], thumbprints: [], tags: {} })
    rows.put('role', { name: 'web', path: '/', id: 'AROAWEB', createdAtMs: 0, tags: {}, description: '', trust: JSON.stringify(trust), maxSessionSeconds: 3600, attached: [], inline: {} })
  })
  return `arn:aws:iam::${accountId}:role/web`
}

describe('Okta', () => {
  it('gives policies by its groups, to people and programs, for an access or an id token', async () => {
    const api = { clientIds: ['api://default', '0oabcdefgh1IjKlMn0h7'], policyClaim: 'groups' }
    for (const kind of ['access', 'id']) {
      const answer = await signIn(okta, await tokenOf(okta, kind), api)
      expect([kind, answer]).toEqual([kind, expect.objectContaining({ code: 'none', policies: ['Everyone', 'analysts'] })])
      expect(answer.keys?.['jwt:groups']).toEqual(['Everyone', 'analysts'])
      expect(answer.asked).toEqual([okta.discoveryUrl, okta.discovery['jwks_uri']])
    }
    expect((await signIn(okta, await tokenOf(okta, 'program'), api)).policies).toEqual(['writers'])
  })

  it('is not believed for another authorization server of the same organization, nor for another audience', async () => {
    const organization = { ...okta, issuer: 'https://dev-1234567.okta.com' }
    expect((await signIn(organization, await tokenOf(okta, 'access'), { clientIds: ['api://default'] })).code).toBe('InvalidIdentityToken')
    // `cid` is whom the token was issued to, not whom it is for.
    expect((await signIn(okta, await tokenOf(okta, 'access'), { clientIds: ['0oabcdefgh1IjKlMn0h7'], policyClaim: 'groups' })).code).toBe('InvalidIdentityToken')
  })
})

describe('Entra', () => {
  const app = { clientIds: ['6cb04018-a3f5-46a7-b995-940c78f5aef3'], policyClaim: 'roles' }

  it('gives policies by the roles of an application, though its keys have no algorithm', async () => {
    expect(await signIn(entra, await tokenOf(entra, 'id'), app)).toMatchObject({ code: 'none', policies: ['readonly'], keys: { 'jwt:groups': ['0760b6cf-170e-4a14-91b3-4b78e0739963', '3b2b0c93-acd8-4208-8eba-7a48db1cd4c0'], 'jwt:roles': ['readonly'] } })
    expect((await signIn(entra, await tokenOf(entra, 'access'), app)).policies).toEqual(['readonly', 'tablesAdmin'])
    expect((await signIn(entra, await tokenOf(entra, 'program'), app)).policies).toEqual(['tablesAdmin'])
  })

  it('lets a role be assumed by whom its trust policy names, by the tenant’s provider', async () => {
    const RoleArn = await roleTrusting(entra.issuer, '6cb04018-a3f5-46a7-b995-940c78f5aef3', { 'ForAnyValue:StringEquals': { 'jwt:groups': '0760b6cf-170e-4a14-91b3-4b78e0739963' } })
    expect(await signIn(entra, await tokenOf(entra, 'id'), app, RoleArn)).toMatchObject({ code: 'none', role: 'web' })
    expect((await signIn(entra, await tokenOf(entra, 'access'), app, RoleArn)).code).toBe('AccessDenied')
  })

  it.each(['overage', 'implicitOverage'])('is refused where the groups are left out (%s), and nobody asks at the address in the token', async kind => {
    const answer = await signIn(entra, await tokenOf(entra, kind), app)
    expect(answer.code).toBe('InvalidIdentityToken')
    expect(answer.message).toContain('leaves out its claim groups')
    expect(answer.asked).toEqual([entra.discoveryUrl, entra.discovery['jwks_uri']])
  })

  it('is one tenant in one version: others are refused, and so is a discovery document for all tenants', async () => {
    for (const kind of ['otherTenant', 'version1']) expect([kind, (await signIn(entra, await tokenOf(entra, kind), app)).code]).toEqual([kind, 'InvalidIdentityToken'])
    const common = { ...entra.discovery, issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }
    expect((await signIn(entra, await tokenOf(entra, 'id'), app, 'arn:x', common)).code).toBe('IDPCommunicationError')
    const version1 = { ...entra, issuer: String(entra.tokens['version1']?.['iss']) }
    const settings = { clientIds: ['api://6cb04018-a3f5-46a7-b995-940c78f5aef3'], policyClaim: 'roles', jwksUri: String(entra.discovery['jwks_uri']) }
    expect((await signIn(version1, await tokenOf(entra, 'version1'), settings)).policies).toEqual(['readonly'])
  })
})

describe('a Kubernetes cluster', () => {
  const cluster = { clientIds: ['sts.lake.example.org'] }
  const name = providerNameOf(kubernetes.issuer)
  const loader = { StringEquals: { [`${name}:sub`]: 'system:serviceaccount:etl:loader', [`${name}:aud`]: 'sts.lake.example.org' } }

  it('lets the pods of one service account assume a role, whose token is for us among others', async () => {
    const RoleArn = await roleTrusting(kubernetes.issuer, 'sts.lake.example.org', loader)
    expect(await signIn(kubernetes, await tokenOf(kubernetes, 'pod'), cluster, RoleArn)).toMatchObject({ code: 'none', role: 'web' })
    for (const kind of ['otherAccount', 'otherNamespace']) expect([kind, (await signIn(kubernetes, await tokenOf(kubernetes, kind), cluster, RoleArn)).code]).toEqual([kind, 'AccessDenied'])
    expect((await signIn(kubernetes, await tokenOf(kubernetes, 'forTheApiServer'), cluster, RoleArn)).code).toBe('InvalidIdentityToken')
  })

  it('can be given one set of policies, and its keys by their own address', async () => {
    const jwksUri = String(kubernetes.discovery['jwks_uri'])
    const answer = await signIn(kubernetes, await tokenOf(kubernetes, 'pod'), { ...cluster, rolePolicies: ['readonly'], jwksUri })
    expect(answer).toMatchObject({ code: 'none', policies: ['readonly'], keys: { 'jwt:sub': ['system:serviceaccount:etl:loader'] }, asked: [jwksUri] })
  })

  it('names no policies by itself, and its old tokens, which have no end and no audience, are refused', async () => {
    expect((await signIn(kubernetes, await tokenOf(kubernetes, 'pod'), cluster)).code).toBe('AccessDenied')
    expect((await signIn(kubernetes, await tokenOf(kubernetes, 'legacy', { exp: undefined }), cluster)).code).toBe('InvalidIdentityToken')
    const old = { ...kubernetes, issuer: 'kubernetes/serviceaccount' }
    expect((await signIn(old, await tokenOf(kubernetes, 'legacy', { exp: undefined }), { ...cluster, jwksUri: String(kubernetes.discovery['jwks_uri']) })).code).toBe('InvalidIdentityToken')
  })
})

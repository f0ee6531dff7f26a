/** Signing in with a certified OpenID provider: by a role's trust policy, by a claim, and directly at the catalog. */
import { createServer, type Server } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import Provider from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf, credentialsOf, trusting, type Clients } from './connect.ts'

let server: StartedServer
let provider: Server
let scratch = ''
let issuer = ''
let root: Clients
let account = ''
let sts: STSClient
const audience = 'urn:lake'
const read = (clients: Clients) => codeOf(clients.s3.send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))
const as = (shown: Parameters<typeof credentialsOf>[0]): Clients => clientsOf(server.endpoint, credentialsOf(shown))

/** Client credentials give a signed access token for the audience, whose subject is the client. */
async function startProvider(port: number): Promise<Server> {
  const client = (client_id: string, policy: string) => ({
    client_id, policy, client_secret: `${client_id}-secret`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post' as const,
  })
  const oidc = new Provider(issuer, {
    clients: [client('reader', 'readonly'), client('tables', 'tablesAdmin'), client('nobody', '')],
    extraClientMetadata: { properties: ['policy'] },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: () => ({ scope: 'use', audience, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } } }) },
    },
    extraTokenClaims: async (_context, { client: asking }) => ({ policy: asking?.['policy'] ?? '' }),
    scopes: ['use'],
  })
  const handle = oidc.callback()
  const started = createServer((request, response) => void handle(request, response))
  await new Promise<void>(resolve => started.listen(port, '127.0.0.1', resolve))
  return started
}

async function tokenOf(client_id: string): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id, client_secret: `${client_id}-secret`, resource: audience, scope: 'use' }
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = (await response.json()) as { readonly access_token?: string }
  return token ?? ''
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-oidc-'))
  const port = await freePort()
  issuer = `http://127.0.0.1:${port}`
  provider = await startProvider(port)
  const document = join(scratch, 'providers.yaml')
  await writeFile(document, JSON.stringify({ openid: [{ name: 'test', issuer, clientIds: [audience] }] }))
  server = await startServer({ workers: 2, env: { MORAINE_IDENTITY_PROVIDERS: document } })
  root = clientsOf(server.endpoint, server)
  sts = new STSClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'none', secretAccessKey: 'none' }, maxAttempts: 1 })
  account = (await root.sts.send(new GetCallerIdentityCommand({}))).Account ?? ''
  await root.s3.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await root.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'a' }))
}, 90_000)
afterAll(async () => {
  await server.stop()
  await new Promise(resolve => provider.close(resolve))
  await rm(scratch, { recursive: true, force: true })
}, 60_000)

describe('a web identity', () => {
  test('without a role has the policies that its claim names', async () => {
    const answer = await sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:x', RoleSessionName: 'any', WebIdentityToken: await tokenOf('reader') }))
    expect(answer.SubjectFromWebIdentityToken).toBe('reader')
    expect(await read(as(answer.Credentials))).toBe('none')
    expect(await codeOf(as(answer.Credentials).s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: '' })))).toBe('AccessDenied')
    expect(await codeOf(sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:x', RoleSessionName: 'any', WebIdentityToken: await tokenOf('nobody') })))).toBe('AccessDenied')
  })

  test('assumes a role that trusts its provider and its claims, and no other', async () => {
    const name = new URL(issuer).host
    const RoleArn = `arn:aws:iam::${account}:role/web`
    const Federated = `arn:aws:iam::${account}:oidc-provider/${name}`
    const Condition = { StringEquals: { [`${name}:sub`]: 'reader', [`${name}:aud`]: audience } }
    await root.iam.send(new CreateRoleCommand({ RoleName: 'web', AssumeRolePolicyDocument: trusting({ Federated }, { Condition }, 'sts:AssumeRoleWithWebIdentity') }))
    await root.iam.send(new PutRolePolicyCommand({ RoleName: 'web', PolicyName: 'read', PolicyDocument: allow('s3:GetObject') }))
    const assume = async (client: string) => sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'web', WebIdentityToken: await tokenOf(client) }))
    expect(await codeOf(assume('reader'))).toBe('AccessDenied')
    // AWS has providers under https only; the name is all that counts here.
    await root.iam.send(new CreateOpenIDConnectProviderCommand({ Url: `https://${name}`, ClientIDList: [audience] }))
    const answer = await assume('reader')
    expect(answer).toMatchObject({ Provider: Federated, Audience: audience, AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/web/web` } })
    expect(await read(as(answer.Credentials))).toBe('none')
    expect(await codeOf(assume('nobody'))).toBe('AccessDenied')
  })

  test('comes to the catalog with its token, or exchanges it for one of ours', async () => {
    const config = (token: string) => fetch(`${server.endpoint}/iceberg/v1/config?warehouse=lake`, { headers: { authorization: `Bearer ${token}` } })
    const exchange = (subject_token: string) => fetch(`${server.endpoint}/iceberg/v1/oauth/tokens`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }),
    })
    const tables = await tokenOf('tables')
    expect((await config(tables)).status).toBe(200)
    expect((await config(await tokenOf('nobody'))).status).toBe(401)
    expect((await config(`${tables.slice(0, -8)}AAAAAAAA`)).status).toBe(401)
    const exchanged = await exchange(tables)
    expect(exchanged.status).toBe(200)
    const { access_token: ours, expires_in: lifetime } = (await exchanged.json()) as { readonly access_token: string; readonly expires_in: number }
    expect(lifetime).toBeLessThanOrEqual(600)
    expect((await config(ours)).status).toBe(200)
    expect((await exchange(await tokenOf('nobody'))).status).toBe(400)
    expect((await exchange(`${tables.slice(0, -8)}AAAAAAAA`)).status).toBe(400)
  })

  test('is refused with a token that was changed', async () => {
    const token = await tokenOf('reader')
    const [head = '', body = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const forged = `${head}.${Buffer.from(JSON.stringify({ ...claims, policy: 'consoleAdmin' })).toString('base64url')}.${signature}`
    const assume = (WebIdentityToken: string) => codeOf(sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:x', RoleSessionName: 'any', WebIdentityToken })))
    expect(await assume(forged)).toBe('InvalidIdentityToken')
    expect(await assume('nonsense')).toBe('InvalidIdentityToken')
  })
})

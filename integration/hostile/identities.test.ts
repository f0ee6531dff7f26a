/** Credentials that are forged, changed, another’s or over, and requests that would have somebody else do what one may not: against the whole server. */
import { createHmac } from 'node:crypto'
import { createServer, request as sendRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRoleCommand, DeleteRolePolicyCommand, DeleteUserPolicyCommand, IAMClient, PutRolePolicyCommand, PutUserPolicyCommand, UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand, GetObjectCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client, UploadPartCommand, UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import { exportSPKI, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

let server: StartedServer
let iam: IAMClient
let root: S3Client
let account = ''
let bob: Credentials
let listener: Server
let heard: (string | undefined)[] = []

const s3Of = (credentials: Credentials): S3Client => new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials })
const stsOf = (credentials: Credentials): STSClient => new STSClient({ endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1, credentials })
const codeOf = (act: Promise<unknown>): Promise<string> => act.then(() => 'none', (error: unknown) => (error as { readonly Code?: string }).Code ?? (error as Error).name)
const policy = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string | readonly string[], Resource: string | readonly string[]) => ({ Effect: 'Allow', Action, Resource })
const bobMay = (...statements: readonly object[]) => iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'own', PolicyDocument: policy(...statements) }))
const get = (s3: S3Client, Key: string, Bucket = 'open') => codeOf(s3.send(new GetObjectCommand({ Bucket, Key })))

function credentialsOf(shown: { readonly AccessKeyId?: string | undefined; readonly SecretAccessKey?: string | undefined; readonly SessionToken?: string | undefined } | undefined): Credentials {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken } = shown ?? {}
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }) }
}

/** A new account's own key. */
async function newAccount(name: string): Promise<Credentials & { readonly accountId: string }> {
  const { host, hostname, port } = new URL(server.endpoint)
  const body = JSON.stringify({ name })
  const signer = new SignatureV4({ credentials: server, region: 'us-east-1', service: 's3', sha256: Hash.bind(null, 'sha256') })
  const path = '/_moraine/v1/accounts'
  const { headers } = await signer.sign({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path, query: {}, headers: { host, 'content-type': 'application/json' }, body })
  const made = (await (await fetch(server.endpoint + path, { method: 'POST', headers, body })).json()) as { readonly accountId: string; readonly accessKey: Credentials }
  return { ...made.accessKey, accountId: made.accountId }
}

async function bearer({ accessKeyId, secretAccessKey }: Credentials): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey }
  const answer = await fetch(`${server.endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams(form) })
  return ((await answer.json()) as { readonly access_token: string }).access_token
}

async function catalog(token: string, path = 'config?warehouse=lake', body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (await fetch(`${server.endpoint}/iceberg/v1/${path}`, { headers, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }) })).status
}

beforeAll(async () => {
  listener = createServer((request, response) => {
    heard.push(request.url)
    response.end('{"keys":[]}')
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  server = await startServer({ workers: 2 })
  iam = new IAMClient({ endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1, credentials: server })
  root = s3Of(server)
  account = (await stsOf(server).send(new GetCallerIdentityCommand({}))).Account ?? ''
  for (const Bucket of ['open', 'secret']) await root.send(new CreateBucketCommand({ Bucket }))
  for (const Key of ['public/a', 'private/a']) await root.send(new PutObjectCommand({ Bucket: 'open', Key, Body: Key }))
  await root.send(new PutObjectCommand({ Bucket: 'secret', Key: 'a', Body: 'secret' }))
  await iam.send(new CreateUserCommand({ UserName: 'bob' }))
  bob = credentialsOf((await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }))).AccessKey)
}, 90_000)
afterAll(async () => {
  await server.stop()
  await new Promise(resolve => listener.close(resolve))
}, 60_000)

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('tokens of the catalog', () => {
  test('that were changed, unsigned, or signed by what everybody has, are refused', async () => {
    const token = await bearer(server)
    const [head = '', body = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const { keys: [jwk] } = (await (await fetch(`${server.endpoint}/iceberg/v1/oauth/jwks`)).json()) as { readonly keys: readonly [JWK] }
    const pem = await exportSPKI((await importJWK(jwk, 'ES256')) as Parameters<typeof exportSPKI>[0])
    const forged = [
      `${head}.${encode({ ...claims, sub: bob.accessKeyId })}.${signature}`, `${head}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`, `${head}.${body}.`, `${head}.${body}`,
      ...['none', 'NONE'].map(alg => `${encode({ alg, typ: 'JWT', kid: jwk.kid })}.${body}.`),
      ...[pem, JSON.stringify(jwk), jwk.kid ?? ''].map(secret => {
        const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid: jwk.kid })}.${body}`
        return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
      }),
      ...['../../../etc/passwd', 'identity/server-key', "x' OR '1'='1", '0-x', ''].map(kid => `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${body}.${signature}`),
    ]
    expect(await catalog(token)).toBe(200)
    for (const text of forged) expect([text, await catalog(text)]).toEqual([text, 401])
  })

  test('and of providers, that point at keys of their own, cause no request to there', async () => {
    heard = []
    const { port } = listener.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/jwks`
    const claims = { iss: url, aud: 'lake', sub: 'eve', exp: Math.floor(Date.now() / 1000) + 600 }
    for (const more of [{ jku: url }, { x5u: url }, { kid: url }, { jwk: { kty: 'oct', k: 'c2VjcmV0' } }]) {
      const token = `${encode({ alg: 'RS256', ...more })}.${encode(claims)}.${Buffer.alloc(256).toString('base64url')}`
      expect(await catalog(token)).toBe(401)
      expect(await codeOf(stsOf(server).send(new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:x', RoleSessionName: 'any', WebIdentityToken: token })))).toBe('InvalidIdentityToken')
    }
    expect(heard).toEqual([])
  })

  test('of another account open nothing here', async () => {
    const tenant = await newAccount('token-tenant')
    const token = await bearer(tenant)
    for (const path of ['lake/namespaces', 'config?warehouse=lake', 'lake/namespaces/sales/tables/orders']) expect([path, String(await catalog(token, path))]).toEqual([path, expect.stringMatching(/^40[34]$/)])
    expect(await catalog(token, 'lake/namespaces', { namespace: ['theirs'] })).toBe(403)
  })
})

describe('session tokens', () => {
  test('with a changed byte, of another key, or of another account, are refused by each service', async () => {
    await bobMay(allow('*', '*'))
    const assume = async (by: Credentials) => credentialsOf((await stsOf(by).send(new AssumeRoleCommand({ RoleArn: 'arn:xxx:xxx:xxx:xxxx', RoleSessionName: 'any' }))).Credentials)
    const tenant = await newAccount('session-tenant')
    const [one, two, theirs] = [await assume(bob), await assume(bob), await assume(tenant)]
    expect(await get(s3Of(one), 'public/a')).toBe('none')
    const bytes = Buffer.from(one.sessionToken ?? '', 'base64')
    for (let at = 0; at < bytes.length; at += 11) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect([at, await get(s3Of({ ...one, sessionToken: changed.toString('base64') }), 'public/a')]).toEqual([at, 'InvalidToken'])
    }
    for (const sessionToken of [two.sessionToken ?? '', theirs.sessionToken ?? '', 'AAAA']) {
      expect(await get(s3Of({ ...one, sessionToken }), 'public/a')).toBe('InvalidToken')
      expect(await codeOf(stsOf({ ...one, sessionToken }).send(new GetCallerIdentityCommand({})))).toBe('InvalidClientTokenId')
    }
    expect(await get(s3Of({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey }), 'public/a')).not.toBe('none')
    expect(await get(s3Of({ ...bob, sessionToken: one.sessionToken ?? '' }), 'public/a')).toBe('InvalidToken')
    expect(await get(s3Of(theirs), 'public/a')).toBe('AccessDenied')
    await bobMay(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    // A right that the parent has lost is gone from the session with the next request.
    expect(await get(s3Of(one), 'private/a')).toBe('AccessDenied')
  })
})

describe('names that read as others', () => {
  /** As it stands: `fetch` would tidy the path up. */
  function raw(path: string, headers: Readonly<Record<string, string>>): Promise<string> {
    const { hostname, port } = new URL(server.endpoint)
    return new Promise((resolve, reject) => {
      const sent = sendRequest({ hostname, port, path, headers }, response => {
        let body = ''
        response.on('data', chunk => (body += String(chunk)))
        response.on('end', () => resolve(body))
      })
      sent.on('error', reject)
      sent.end()
    })
  }

  test.each([
    '/open/public/../private/a', '/open/public/..%2Fprivate/a', '/open/public/%2e%2e/private/a', '/open/./private/a', '/open//private/a', '/open/private%2Fa', '/open%2Fprivate%2Fa', '/open/PRIVATE/a', '/open/../secret/a',
    '/OPEN/private/a', '/open/public%2F..%2F..%2Fsecret%2Fa', '/secret/a', '/open/private/%61', '/open/public/a%00/../../private/a', '/open/pri%EF%BD%96ate/a',
  ])('%s shows nothing that the policy does not allow', async path => {
    await bobMay(allow('s3:*', 'arn:aws:s3:::open/public/*'))
    const { host, hostname, port } = new URL(server.endpoint)
    const signer = new SignatureV4({ credentials: bob, region: 'us-east-1', service: 's3', sha256: Hash.bind(null, 'sha256'), uriEscapePath: false })
    const { headers } = await signer.sign({ method: 'GET', protocol: 'http:', hostname, port: Number(port), path, query: {}, headers: { host } })
    const body = await raw(path, headers)
    expect(body).toContain('<Code>')
    expect(['private/a', 'secret']).not.toContain(body)
  })

  test('a user of the same name in another account is another, and so is one made anew in other letters', async () => {
    const tenant = await newAccount('name-tenant')
    const theirIam = new IAMClient({ endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1, credentials: tenant })
    await theirIam.send(new CreateUserCommand({ UserName: 'bob' }))
    await theirIam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'all', PolicyDocument: policy(allow('*', '*')) }))
    const theirBob = credentialsOf((await theirIam.send(new CreateAccessKeyCommand({ UserName: 'bob' }))).AccessKey)
    for (const AWS of [`arn:aws:iam::${account}:user/bob`, `arn:aws:iam::${account}:user/BOB`, `arn:aws:iam::${tenant.accountId}:user/BOB`, `arn:aws:iam::${tenant.accountId}:user/x/bob`]) {
      await root.send(new PutBucketPolicyCommand({ Bucket: 'secret', Policy: policy({ ...allow('s3:GetObject', 'arn:aws:s3:::secret/*'), Principal: { AWS } }) }))
      expect([AWS, await get(s3Of(theirBob), 'a', 'secret')]).toEqual([AWS, 'AccessDenied'])
    }
    await root.send(new PutBucketPolicyCommand({ Bucket: 'secret', Policy: policy({ ...allow('s3:GetObject', 'arn:aws:s3:::secret/*'), Principal: { AWS: `arn:aws:iam::${tenant.accountId}:user/bob` } }) }))
    expect(await get(s3Of(theirBob), 'a', 'secret')).toBe('none')
    await root.send(new PutBucketPolicyCommand({ Bucket: 'secret', Policy: policy({ ...allow('s3:ListBucket', 'arn:aws:s3:::secret'), Principal: { AWS: account } }) }))
  })
})

describe('a presigned URL', () => {
  const presigned = (s3: S3Client, Key = 'public/a') => getSignedUrl(s3, new GetObjectCommand({ Bucket: 'open', Key }), { expiresIn: 3600 })
  /** Asked often enough to meet every worker. */
  const statuses = async (url: string) => [...new Set(await Promise.all([1, 2, 3, 4].map(async () => (await fetch(url, { headers: { connection: 'close' } })).status)))]

  test('ends with the right, the key, and the session that it was made with', async () => {
    await bobMay(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    const url = await presigned(s3Of(bob))
    expect(await statuses(url)).toEqual([200])
    await iam.send(new DeleteUserPolicyCommand({ UserName: 'bob', PolicyName: 'own' }))
    expect(await statuses(url)).toEqual([403])
    await bobMay(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    expect(await statuses(url)).toEqual([200])
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'bob', AccessKeyId: bob.accessKeyId, Status: 'Inactive' }))
    expect(await statuses(url)).toEqual([403])
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'bob', AccessKeyId: bob.accessKeyId, Status: 'Active' }))
    expect(await statuses(url.replace('public/a', 'private/a'))).toEqual([403])
  })

  test('of a role’s session ends with the role', async () => {
    const trust = policy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' })
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'signer', AssumeRolePolicyDocument: trust }))
    await iam.send(new PutRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read', PolicyDocument: policy(allow('s3:GetObject', 'arn:aws:s3:::open/*')) }))
    const assumed = await stsOf(server).send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'any' }))
    const url = await presigned(s3Of(credentialsOf(assumed.Credentials)))
    expect(await statuses(url)).toEqual([200])
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read' }))
    expect(await statuses(url)).toEqual([403])
    await iam.send(new DeleteRoleCommand({ RoleName: 'signer' }))
    await iam.send(new CreateRoleCommand({ RoleName: 'signer', AssumeRolePolicyDocument: trust }))
    await iam.send(new PutRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read', PolicyDocument: policy(allow('s3:GetObject', 'arn:aws:s3:::open/*')) }))
    // The name is there again, with the same rights; the role that the session is of is not.
    expect(await statuses(url)).toEqual([400])
  })
})

describe('deputies', () => {
  test('CopyObject and UploadPartCopy read nothing for whom may not', async () => {
    await bobMay(allow(['s3:PutObject', 's3:GetObject'], 'arn:aws:s3:::open/public/*'))
    const s3 = s3Of(bob)
    const target = { Bucket: 'open', Key: 'public/copy' }
    for (const CopySource of ['secret/a', '/secret/a', 'secret%2Fa', 'open/private/a', 'open/public/../private/a', 'open/public/..%2Fprivate%2Fa']) {
      expect([CopySource, await codeOf(s3.send(new CopyObjectCommand({ ...target, CopySource })))]).toEqual([CopySource, expect.stringMatching(/^(AccessDenied|InvalidArgument)$/)])
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target))
      expect([CopySource, await codeOf(s3.send(new UploadPartCopyCommand({ ...target, UploadId, PartNumber: 1, CopySource })))]).toEqual([CopySource, expect.stringMatching(/^(AccessDenied|InvalidArgument)$/)])
    }
    expect(await codeOf(s3.send(new CopyObjectCommand({ ...target, CopySource: 'open/public/a' })))).toBe('none')
    expect(await codeOf(s3.send(new CopyObjectCommand({ Bucket: 'open', Key: 'private/b', CopySource: 'open/public/a' })))).toBe('AccessDenied')
  })

  test('an upload that somebody else has begun is not gone on with by whom may not write there', async () => {
    const target = { Bucket: 'open', Key: 'private/upload' }
    const { UploadId } = await root.send(new CreateMultipartUploadCommand(target))
    await bobMay(allow(['s3:PutObject', 's3:GetObject'], 'arn:aws:s3:::open/public/*'))
    expect(await codeOf(s3Of(bob).send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' })))).toBe('AccessDenied')
    expect(await codeOf(s3Of(bob).send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"x"' }] } })))).toBe('AccessDenied')
    expect(await codeOf(s3Of(bob).send(new UploadPartCommand({ Bucket: 'open', Key: 'public/upload', UploadId, PartNumber: 1, Body: 'x' })))).toBe('NoSuchUpload')
  })

  test('remote signing signs for the table’s files alone, and for nobody who may not read it', async () => {
    const rootToken = await bearer(server)
    await catalog(rootToken, 'lake/namespaces', { namespace: ['sales'] })
    for (const name of ['orders', 'people']) await catalog(rootToken, 'lake/namespaces/sales/tables', { name, schema: { type: 'struct', fields: [] } })
    await bobMay(allow('s3tables:*', [`arn:aws:s3tables:::bucket/lake`, `arn:aws:s3tables:::bucket/lake/namespace/sales`, `arn:aws:s3tables:::bucket/lake/namespace/sales/table/orders`]))
    const token = await bearer(bob)
    const locationOf = async (table: string): Promise<string> => {
      const answer = await fetch(`${server.endpoint}/iceberg/v1/lake/namespaces/sales/tables/${table}`, { headers: { authorization: `Bearer ${rootToken}` } })
      return ((await answer.json()) as { readonly metadata: { readonly location: string } }).metadata.location.replace('s3://', '')
    }
    const [orders, people] = [await locationOf('orders'), await locationOf('people')]
    const sign = (path: string, table = 'orders') => catalog(token, `lake/namespaces/sales/tables/${table}/sign`, { region: 'us-east-1', method: 'GET', uri: `${server.endpoint}/${path}`, headers: {} })
    expect(await sign(`${orders}/data/a`)).toBe(200)
    const others = [`${people}/data/a`, `${orders}/../people/data/a`, `${orders}/%2e%2e/people/data/a`, `${orders}2/data/a`, 'secret/a', `${orders.toUpperCase()}/data/a`, 'lake/', 'open/public/a']
    for (const path of others) expect([path, String(await sign(path))]).toEqual([path, expect.stringMatching(/^40[03]$/)])
    expect(await sign(`${people}/data/a`, 'people')).toBe(403)
  })

  test('a view opens no table that its reader may not load', async () => {
    const rootToken = await bearer(server)
    const version = { 'version-id': 1, 'timestamp-ms': 0, 'schema-id': 0, summary: {}, 'default-namespace': ['sales'], representations: [{ type: 'sql', sql: 'SELECT * FROM sales.people', dialect: 'spark' }] }
    expect(await catalog(rootToken, 'lake/namespaces/sales/views', { name: 'report', schema: { type: 'struct', 'schema-id': 0, fields: [] }, 'view-version': version })).toBe(200)
    await bobMay(allow('s3tables:*', ['arn:aws:s3tables:::bucket/lake', 'arn:aws:s3tables:::bucket/lake/namespace/sales', 'arn:aws:s3tables:::bucket/lake/namespace/sales/view/report']))
    const token = await bearer(bob)
    expect(await catalog(token, 'lake/namespaces/sales/views/report')).toBe(200)
    expect(await catalog(token, 'lake/namespaces/sales/tables/people')).toBe(403)
    expect(await catalog(token, `lake/namespaces/sales/tables/people?referenced-by=${encodeURIComponent('sales\u001freport')}`)).toBe(403)
  })
})

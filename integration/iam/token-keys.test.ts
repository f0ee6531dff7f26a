/** Tokens of the catalog in the hands of others: they verify them by the published keys, and take them for nothing else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { clientsOf, codeOf, credentialsOf } from './connect.ts'

let server: StartedServer
let issuer = ''
let scratch = ''

async function tokenOf({ endpoint, accessKeyId, secretAccessKey }: StartedServer): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey }
  const answer = await fetch(`${endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams(form) })
  return ((await answer.json()) as { readonly access_token: string }).access_token
}

interface Discovery {
  readonly issuer: string
  readonly jwks_uri: string
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-keys-'))
  server = await startServer({ workers: 2 })
  issuer = `${server.endpoint}/iceberg`
}, 90_000)
afterAll(async () => {
  await server.stop()
  await rm(scratch, { recursive: true, force: true })
}, 60_000)

test('a library that knows the issuer alone finds the keys and verifies a token, of whichever worker', async () => {
  const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Discovery
  expect(discovery.issuer).toBe(issuer)
  const keys = createRemoteJWKSet(new URL(discovery.jwks_uri))
  const kids = new Set<string | undefined>()
  for (let round = 0; round < 6; round++) {
    const token = await tokenOf(server)
    const { payload } = await jwtVerify(token, keys, { issuer, audience: issuer, algorithms: ['ES256'] })
    expect(payload).toMatchObject({ sub: 'moraineadmin', client_id: 'moraineadmin', arn: expect.stringMatching(/^arn:aws:iam::\d{12}:root$/) as string })
    kids.add(decodeProtectedHeader(token).kid)
  }
  expect(kids.size).toBe(1)
})

test('the key set is public, may be kept for an hour, and holds no private part', async () => {
  const answer = await fetch(`${server.endpoint}/_iceberg/v1/oauth/jwks`)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=3600'])
  const { keys } = (await answer.json()) as { readonly keys: readonly object[] }
  expect(keys.map(key => Object.keys(key).toSorted())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']])
})

test('a token, and its key, outlive a restart', async () => {
  const drive = join(scratch, 'drive')
  const before = await startServer({ workers: 1, drive })
  const token = await tokenOf(before)
  await before.stop()
  const after = await startServer({ workers: 1, drive, port: before.port })
  try {
    expect((await fetch(`${after.endpoint}/iceberg/v1/config?warehouse=lake`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    expect((await jwtVerify(token, createRemoteJWKSet(new URL(`${after.endpoint}/iceberg/v1/oauth/jwks`)))).payload.sub).toBe('moraineadmin')
  } finally {
    await after.stop()
  }
})

test('another server believes it where it is told to, and only for what it says there', async () => {
  const document = join(scratch, 'providers.json')
  await writeFile(document, JSON.stringify({ openid: [{ name: 'other', issuer, clientIds: [issuer], rolePolicies: ['readonly'] }] }))
  const third = await startServer({ workers: 1, env: { MORAINE_IDENTITY_PROVIDERS: document } })
  try {
    const sts = new STSClient({ endpoint: third.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'none', secretAccessKey: 'none' }, maxAttempts: 1 })
    const assume = (WebIdentityToken: string) => sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:x', RoleSessionName: 'any', WebIdentityToken }))
    const { Credentials: shown } = await assume(await tokenOf(server))
    // Let in, by the policy that the other server gives: there is no such bucket.
    expect(await codeOf(clientsOf(third.endpoint, credentialsOf(shown)).s3.send(new GetObjectCommand({ Bucket: 'none', Key: 'a' })))).toBe('NoSuchBucket')
    expect(await codeOf(assume(await tokenOf(third)))).toBe('InvalidIdentityToken')
    // The root of one is nobody at the other.
    expect((await fetch(`${server.endpoint}/iceberg/v1/config?warehouse=lake`, { headers: { authorization: `Bearer ${await tokenOf(third)}` } })).status).toBe(401)
  } finally {
    await third.stop()
  }
})

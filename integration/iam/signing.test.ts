/** Remote signing: for every kind of identity, with exactly its rights, for the table's files alone. */
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRolePolicyCommand, PutRolePolicyCommand, PutUserPolicyCommand, DeleteRoleCommand } from '@aws-sdk/client-iam'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { catalogOf, type Catalog } from './catalog.ts'
import { allow, clientsOf, credentialsOf, trusting, type Clients, type Credentials } from './connect.ts'
import { signedCatalogOf } from './signed-catalog.ts'

let server: StartedServer
let root: Clients
let userKey: Credentials
const folders: Record<string, string> = {}
const schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', required: false, type: 'long' }] }
const orders = 'namespaces/sales/tables/orders'

async function newUser(UserName: string, PolicyDocument: string): Promise<Credentials> {
  await root.iam.send(new CreateUserCommand({ UserName }))
  await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
  return credentialsOf((await root.iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey)
}

interface Wanted {
  readonly method?: string
  readonly headers?: Readonly<Record<string, readonly string[]>>
  readonly body?: string
  readonly uri?: string
}

/** What the signer says, and what the store says to what it signed; undefined where it signed nothing. */
async function signed(catalog: Catalog, path: string, { method = 'GET', headers = {}, body, uri }: Wanted = {}, table = orders): Promise<{ readonly signer: number; readonly store: number | undefined }> {
  const request = { region: 'us-east-1', uri: uri ?? `${server.endpoint}${path}`, method, headers, ...(body === undefined ? {} : { body }) }
  const { status, body: answer } = await catalog('POST', `${table}/sign`, request)
  if (status !== 200) return { signer: status, store: undefined }
  const { uri: target, headers: given } = answer as unknown as { readonly uri: string; readonly headers: Readonly<Record<string, readonly string[]>> }
  const { host: _, ...sent } = Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values.join(',')]))
  const response = await fetch(target, { method, headers: sent, ...(body !== undefined ? { body } : method === 'PUT' ? { body: 'x' } : {}) })
  await response.arrayBuffer()
  return { signer: 200, store: response.status }
}

beforeAll(async () => {
  server = await startServer({ workers: 2, env: { MORAINE_DOMAIN: 's3.example.test' } })
  root = clientsOf(server.endpoint, server)
  const catalog = await catalogOf(server, server)
  await catalog('POST', 'namespaces', { namespace: ['sales'] })
  for (const name of ['orders', 'people']) {
    const { body } = await catalog('POST', 'namespaces/sales/tables', { name, schema })
    const [, key = ''] = /^s3:\/\/lake\/(.+)$/.exec(body.metadata.location) ?? []
    folders[name] = `/lake/${key}`
    await root.s3.send(new PutObjectCommand({ Bucket: 'lake', Key: `${key}/data/a`, Body: 'a' }))
  }
  userKey = await newUser('ann', allow(['s3tables:*', 's3:*', 'sts:*']))
  const { Account } = await root.sts.send(new GetCallerIdentityCommand({}))
  for (const RoleName of ['engine', 'doomed']) {
    await root.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting({ AWS: `arn:aws:iam::${Account}:user/ann` }) }))
    await root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument: allow(['s3tables:*', 's3:GetObject']) }))
  }
}, 90_000)
afterAll(() => server.stop(), 60_000)

async function sessionOf(RoleName: string, Policy?: string): Promise<Credentials> {
  const { sts } = clientsOf(server.endpoint, userKey)
  const { Account } = await sts.send(new GetCallerIdentityCommand({}))
  const input = { RoleArn: `arn:aws:iam::${Account}:role/${RoleName}`, RoleSessionName: 'signing', ...(Policy === undefined ? {} : { Policy }) }
  return credentialsOf((await sts.send(new AssumeRoleCommand(input))).Credentials)
}

describe('remote signing', () => {
  test('works for a key, a session of a user, and a session of a role', async () => {
    const { sts } = clientsOf(server.endpoint, userKey)
    const ofUser = credentialsOf((await sts.send(new GetSessionTokenCommand({}))).Credentials)
    for (const catalog of [await catalogOf(server, userKey), signedCatalogOf(server, userKey), signedCatalogOf(server, ofUser), signedCatalogOf(server, await sessionOf('engine'))]) {
      expect(await signed(catalog, `${folders['orders']}/data/a`)).toEqual({ signer: 200, store: 200 })
    }
    expect(await signed(signedCatalogOf(server, ofUser), `${folders['orders']}/data/b`, { method: 'PUT' })).toEqual({ signer: 200, store: 200 })
  })

  test('gives nobody a right that it does not have: in the catalog, in the store, by a session policy', async () => {
    const put = { method: 'PUT' }
    const role = signedCatalogOf(server, await sessionOf('engine'))
    expect(await signed(role, `${folders['orders']}/data/c`, put)).toEqual({ signer: 200, store: 403 })
    const narrow = signedCatalogOf(server, await sessionOf('engine', allow('s3tables:*')))
    expect(await signed(narrow, `${folders['orders']}/data/a`)).toEqual({ signer: 200, store: 403 })
    const reader = await catalogOf(server, await newUser('reader', allow(['s3tables:GetTableData', 's3tables:GetTable', 's3:*'])))
    expect(await signed(reader, `${folders['orders']}/data/a`)).toEqual({ signer: 200, store: 200 })
    expect(await signed(reader, `${folders['orders']}/data/c`, put)).toEqual({ signer: 403, store: undefined })
    const nobody = await catalogOf(server, await newUser('nobody', allow('s3:*')))
    expect(await signed(nobody, `${folders['orders']}/data/a`)).toEqual({ signer: 403, store: undefined })
  })

  test('refuses vended credentials, which are for files alone', async () => {
    const { body } = await (await catalogOf(server, userKey))('GET', orders, undefined, { 'x-iceberg-access-delegation': 'vended-credentials' })
    const { config } = body
    const vended = { accessKeyId: config['s3.access-key-id'] ?? '', secretAccessKey: config['s3.secret-access-key'] ?? '', sessionToken: config['s3.session-token'] ?? '' }
    expect(await signed(signedCatalogOf(server, vended), `${folders['orders']}/data/a`)).toEqual({ signer: 403, store: undefined })
  })

  test('ends with the role', async () => {
    const doomed = signedCatalogOf(server, await sessionOf('doomed'))
    expect(await signed(doomed, `${folders['orders']}/data/a`)).toEqual({ signer: 200, store: 200 })
    await root.iam.send(new DeleteRolePolicyCommand({ RoleName: 'doomed', PolicyName: 'own' }))
    await root.iam.send(new DeleteRoleCommand({ RoleName: 'doomed' }))
    expect(await signed(doomed, `${folders['orders']}/data/a`)).toEqual({ signer: 401, store: undefined })
  })

  test('reaches no other table, whatever the request is dressed as', async () => {
    const catalog = await catalogOf(server, userKey)
    const own = `${folders['orders']}/data/a`
    const other = `${folders['people']}/data/a`
    const body = `<Delete><Object><Key>${own.slice('/lake/'.length)}</Key></Object><Object><Key>${other.slice('/lake/'.length)}</Key></Object></Delete>`
    const digest = { 'content-md5': [createHash('md5').update(body).digest('base64')] }
    const attempts: readonly (readonly [string, Wanted])[] = [
      [other, {}],
      [`${folders['orders']}/../people/data/a`, {}],
      [`${folders['orders']}%2F..%2F..%2Fpeople/data/a`, { method: 'PUT', headers: { 'x-amz-copy-source': [other] } }],
      [`${folders['orders']}/data/stolen`, { method: 'PUT', headers: { 'x-amz-copy-source': [other] } }],
      [`${folders['orders']}/data/stolen`, { method: 'PUT', headers: { 'X-Amz-Copy-Source': [encodeURIComponent(other)] } }],
      ['/lake?delete', { method: 'POST', headers: digest, body }],
      [`/lake?list-type=2&prefix=${folders['people']?.slice('/lake/'.length)}/`, {}],
      ['/lake?list-type=2', {}],
      [`${folders['orders']}/data/a?acl`, {}],
      [`${folders['orders']}/data/a?tagging`, { method: 'PUT' }],
      [`${folders['orders']}-evil/a`, { method: 'PUT' }],
      ['/lake', { method: 'DELETE' }],
      ['', { uri: `http://people.s3.example.test:${server.port}${own}` }],
    ]
    for (const [path, wanted] of attempts) expect([path, (await signed(catalog, path, wanted)).signer]).toEqual([path, 403])
    expect(await signed(catalog, own)).toEqual({ signer: 200, store: 200 })
  })

  test('gives a signature for that request only', async () => {
    const catalog = await catalogOf(server, userKey)
    const uri = `${server.endpoint}${folders['orders']}/data/a`
    const { body } = await catalog('POST', `${orders}/sign`, { region: 'us-east-1', uri, method: 'GET', headers: {} })
    const headers = Object.fromEntries(Object.entries((body as unknown as { readonly headers: Record<string, string[]> }).headers).filter(([name]) => name !== 'host').map(([name, values]) => [name, values.join(',')]))
    expect((await fetch(uri, { headers })).status).toBe(200)
    expect((await fetch(uri, { headers, method: 'DELETE' })).status).toBe(403)
    expect((await fetch(`${server.endpoint}${folders['people']}/data/a`, { headers })).status).toBe(403)
    expect((await fetch(uri, { headers: { ...headers, 'x-amz-copy-source': `${folders['people']}/data/a` }, method: 'PUT' })).status).toBe(403)
  })
})

test('an Idempotency-Key is the caller\'s, whatever session it comes by, and no other caller\'s', async () => {
  const ann = clientsOf(server.endpoint, userKey)
  const session = async (): Promise<Catalog> => signedCatalogOf(server, credentialsOf((await ann.sts.send(new GetSessionTokenCommand({}))).Credentials))
  const headers = { 'idempotency-key': '0198f3a2-0000-7000-8000-000000000001' }
  const create = (catalog: Catalog) => catalog('POST', 'namespaces', { namespace: ['once'] }, headers)
  expect((await create(await session())).status).toBe(200)
  // The session was renewed before the answer came: another key, the same caller.
  expect((await create(await session())).status).toBe(200)
  expect((await create(await catalogOf(server, userKey))).status).toBe(200)
  expect((await create(await catalogOf(server, server))).status).toBe(409)
})

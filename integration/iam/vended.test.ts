/** Credentials that the catalog gives for a table's files: for that table alone, to read or to write, and not for ever. */
import { CreateAccessKeyCommand, CreateUserCommand, DeleteAccessKeyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { DeleteObjectCommand, GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { catalogOf, type Catalog, type Vended } from './catalog.ts'
import { allow, clientsOf, codeOf, credentialsOf, type Clients, type Credentials } from './connect.ts'

let server: StartedServer
let root: Clients
let writer: Catalog
let reader: Catalog
let readerKey: Credentials

const asked = { 'x-iceberg-access-delegation': 'vended-credentials' }
const schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', required: false, type: 'long' }] }

const clientsFor = ({ config }: Vended): Clients => clientsOf(server.endpoint, {
  accessKeyId: config['s3.access-key-id'] ?? '', secretAccessKey: config['s3.secret-access-key'] ?? '', sessionToken: config['s3.session-token'] ?? '',
})

async function vendedTo(catalog: Catalog, table: string): Promise<Vended> {
  const { body } = await catalog('GET', `namespaces/sales/tables/${table}`, undefined, asked)
  const [vended] = body['storage-credentials'] ?? []
  if (vended === undefined) throw new Error('nothing was vended')
  return vended
}

const keyIn = ({ prefix }: Vended, name: string): { readonly Bucket: string; readonly Key: string } => {
  const [, Bucket = '', folder = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(prefix) ?? []
  return { Bucket, Key: folder + name }
}

async function newUser(UserName: string, ...actions: readonly string[]): Promise<Credentials> {
  await root.iam.send(new CreateUserCommand({ UserName }))
  await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'tables', PolicyDocument: allow(actions) }))
  return credentialsOf((await root.iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey)
}

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  root = clientsOf(server.endpoint, server)
  writer = await catalogOf(server, await newUser('writer', 's3tables:*'))
  readerKey = await newUser('reader', 's3tables:Get*', 's3tables:List*')
  reader = await catalogOf(server, readerKey)
  await writer('POST', 'namespaces', { namespace: ['sales'] })
  for (const name of ['orders', 'orders2']) await writer('POST', 'namespaces/sales/tables', { name, schema })
}, 90_000)
afterAll(() => server.stop(), 60_000)

describe('vended credentials', () => {
  test('come to those who ask, with what clients need to use and to renew them', async () => {
    expect((await writer('GET', 'namespaces/sales/tables/orders')).body['storage-credentials']).toBeUndefined()
    const { body } = await writer('GET', 'namespaces/sales/tables/orders', undefined, asked)
    const [vended] = body['storage-credentials'] ?? []
    expect(vended?.prefix).toBe(`${body.metadata.location}/`)
    expect(body.config).toMatchObject(vended?.config ?? {})
    const leftMs = Number(body.config['s3.session-token-expires-at-ms']) - Date.now()
    expect(leftMs).toBeGreaterThan(55 * 60_000)
    const renewed = await fetch(`${server.endpoint}/iceberg/${body.config['client.refresh-credentials-endpoint']}`)
    expect(renewed.status).toBe(401)
    const again = await writer('GET', 'namespaces/sales/tables/orders/credentials')
    expect(again.body['storage-credentials']).toHaveLength(1)
    expect(again.body['storage-credentials']?.[0]?.config['s3.access-key-id']).not.toBe(vended?.config['s3.access-key-id'])
  })

  test('of a writer write, read, list and delete the table’s files', async () => {
    const vended = await vendedTo(writer, 'orders')
    const { s3 } = clientsFor(vended)
    const object = keyIn(vended, 'data/a')
    await s3.send(new PutObjectCommand({ ...object, Body: 'a' }))
    expect(await codeOf(s3.send(new GetObjectCommand(object)))).toBe('none')
    const { Bucket, Key: Prefix } = keyIn(vended, '')
    expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).KeyCount).toBeGreaterThan(0)
    await s3.send(new DeleteObjectCommand(object))
    await s3.send(new PutObjectCommand({ ...keyIn(vended, 'data/kept'), Body: 'kept' }))
  })

  test('of a reader read and list, and change nothing', async () => {
    const vended = await vendedTo(reader, 'orders')
    const { s3 } = clientsFor(vended)
    expect(await codeOf(s3.send(new GetObjectCommand(keyIn(vended, 'data/kept'))))).toBe('none')
    expect(await codeOf(s3.send(new PutObjectCommand({ ...keyIn(vended, 'data/b'), Body: '' })))).toBe('AccessDenied')
    expect(await codeOf(s3.send(new DeleteObjectCommand(keyIn(vended, 'data/kept'))))).toBe('AccessDenied')
  })

  test('reach no other table, nor its names, nor anything else', async () => {
    const [orders, others] = [await vendedTo(writer, 'orders'), await vendedTo(writer, 'orders2')]
    const { s3, iam, sts } = clientsFor(orders)
    await clientsFor(others).s3.send(new PutObjectCommand({ ...keyIn(others, 'data/x'), Body: 'x' }))
    expect(await codeOf(s3.send(new GetObjectCommand(keyIn(others, 'data/x'))))).toBe('AccessDenied')
    expect(await codeOf(s3.send(new PutObjectCommand({ ...keyIn(others, 'data/y'), Body: '' })))).toBe('AccessDenied')
    const { Bucket, Key: folder } = keyIn(orders, '')
    for (const Prefix of [undefined, '', 'sales', folder.slice(0, -1), keyIn(others, '').Key, `${folder}../`]) {
      const code = await codeOf(s3.send(new ListObjectsV2Command({ Bucket, ...(Prefix === undefined ? {} : { Prefix }) })))
      expect([Prefix, code]).toEqual([Prefix, Prefix === `${folder}../` ? 'none' : 'AccessDenied'])
    }
    for (const Key of [`${folder}../orders2/x`, `${folder.toUpperCase()}data/kept`, `${folder.slice(0, -1)}%2Fdata/kept`, `/${folder}data/kept`]) {
      expect(await codeOf(s3.send(new GetObjectCommand({ Bucket, Key })))).not.toBe('none')
    }
    expect(await codeOf(s3.send(new ListBucketsCommand({})))).toMatch(/none|AccessDenied/)
    expect(await codeOf(iam.send(new CreateUserCommand({ UserName: 'evil' })))).toBe('AccessDenied')
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toContain(':user/writer')
  })

  test('are none for a table whose folder reaches another’s', async () => {
    const { body } = await writer('GET', 'namespaces/sales/tables/orders')
    const parent = body.metadata.location.slice(0, body.metadata.location.lastIndexOf('/'))
    for (const [name, location] of [['around', parent], ['same', body.metadata.location], ['within', `${body.metadata.location}/data`], ['beside', 's3://lake/other/place']]) {
      const made = await writer('POST', 'namespaces/sales/tables', { name, schema, location }, asked)
      expect(made.body['storage-credentials']).toBeUndefined()
      if (made.status === 200) {
        expect((await writer('GET', `namespaces/sales/tables/${name}/credentials`)).body['storage-credentials']).toEqual([])
        await writer('DELETE', `namespaces/sales/tables/${name}`)
      }
    }
  })

  test('are none for a table at a place that its namespace was only told of', async () => {
    expect((await writer('POST', 'namespaces', { namespace: ['astray'], properties: { location: 's3://lake' } })).status).toBe(200)
    const { status, body } = await writer('POST', 'namespaces/astray/tables', { name: 'raw', schema, location: 's3://lake/raw' }, asked)
    expect([status, body['storage-credentials']]).toEqual([200, undefined])
    expect((await writer('GET', 'namespaces/astray/tables/raw/credentials')).body['storage-credentials']).toEqual([])
  })

  test('end with the key that they were made for', async () => {
    const vended = await vendedTo(reader, 'orders')
    const { s3 } = clientsFor(vended)
    await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'reader', AccessKeyId: readerKey.accessKeyId }))
    expect(await codeOf(s3.send(new GetObjectCommand(keyIn(vended, 'data/kept'))))).toBe('InvalidToken')
  })
})

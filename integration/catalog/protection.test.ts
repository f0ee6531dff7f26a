/** The current metadata.json of a live table or view cannot be replaced or deleted through S3, whichever way is tried; other files can. */
import { createHmac } from 'node:crypto'
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, PutBucketVersioningCommand,
  PutObjectCommand, RenameObjectCommand, type S3Client, UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { CatalogClient, s3Client, schema } from './client.ts'

let server: StartedServer
let catalog: CatalogClient
let s3: S3Client
const Bucket = 'lake'

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  catalog = await CatalogClient.connect(server)
  s3 = s3Client(server)
  await catalog.must('POST', 'lake/namespaces', { namespace: ['db'] })
  await s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body: '{}' }))
})
afterAll(() => server.stop())

const keyOf = (location: string): string => location.slice('s3://lake/'.length)
const textOf = async (Key: string): Promise<string | undefined> => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()

/** The refusal of a request: its code and message. */
async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`
  }
  return 'it was accepted'
}

async function uploaded(Key: string): Promise<unknown> {
  const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const { ETag = '' } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }))
  return s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }))
}

/** A browser's upload form, signed with Version 4. */
async function posted(Key: string): Promise<void> {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const credential = `${server.accessKeyId}/${stamp.slice(0, 8)}/us-east-1/s3/aws4_request`
  const conditions = [{ bucket: Bucket }, { key: Key }, { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' }, { 'x-amz-credential': credential }, { 'x-amz-date': stamp }]
  const policy = Buffer.from(JSON.stringify({ expiration: new Date(Date.now() + 60_000).toISOString(), conditions })).toString('base64')
  const signingKey = [stamp.slice(0, 8), 'us-east-1', 's3', 'aws4_request'].reduce<Buffer | string>((secret, part) => createHmac('sha256', secret).update(part).digest(), `AWS4${server.secretAccessKey}`)
  const signature = createHmac('sha256', signingKey).update(policy).digest('hex')
  const form = new FormData()
  for (const [name, value] of Object.entries({ key: Key, 'x-amz-algorithm': 'AWS4-HMAC-SHA256', 'x-amz-credential': credential, 'x-amz-date': stamp, policy, 'x-amz-signature': signature })) form.append(name, value)
  form.append('file', new Blob(['posted']))
  const response = await fetch(`${server.endpoint}/${Bucket}`, { method: 'POST', body: form })
  const body = await response.text()
  if (!response.ok) throw Object.assign(new Error(/<Message>(.*)<\/Message>/.exec(body)?.[1]), { name: /<Code>(.*)<\/Code>/.exec(body)?.[1] })
}

const attacks: Readonly<Record<string, (Key: string) => Promise<unknown>>> = {
  PutObject: (Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: '{}' })),
  DeleteObject: (Key) => s3.send(new DeleteObjectCommand({ Bucket, Key })),
  'DeleteObject of exactly this version': async (Key) => {
    const { VersionId = 'null' } = await s3.send(new HeadObjectCommand({ Bucket, Key }))
    return s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))
  },
  'CopyObject onto it': (Key) => s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/other` })),
  'RenameObject onto it': (Key) => s3.send(new RenameObjectCommand({ Bucket, Key, RenameSource: 'other' })),
  'RenameObject away': (Key) => s3.send(new RenameObjectCommand({ Bucket, Key: 'stolen', RenameSource: encodeURIComponent(Key) })),
  'an append': async (Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: ' ', WriteOffsetBytes: Buffer.byteLength((await textOf(Key)) ?? '') })),
  'a multipart upload': uploaded,
  'a form': posted,
  DeleteObjects: async (Key) => {
    const { Errors = [], Deleted = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }, { Key: 'never-there' }] } }))
    expect(Deleted.map((entry) => entry.Key)).toContain('never-there')
    const [error] = Errors
    if (error !== undefined) throw Object.assign(new Error(error.Message), { name: error.Code })
  },
}

describe.each(['Unversioned', 'Enabled', 'Suspended'] as const)('in a bucket that is %s', (versioning) => {
  const table = `t-${versioning}`
  const view = `v-${versioning}`
  let locations: string[] = []
  beforeAll(async () => {
    if (versioning !== 'Unversioned') await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: versioning } }))
    await catalog.must('POST', 'lake/namespaces/db/tables', { name: table, schema })
    const version = { 'version-id': 1, 'schema-id': 0, 'timestamp-ms': 1, summary: {}, 'default-namespace': ['db'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }
    const made = JSON.parse(await catalog.must('POST', 'lake/namespaces/db/views', { name: view, schema, 'view-version': version, properties: {} })) as { 'metadata-location': string }
    locations = [(await catalog.load('db', table))['metadata-location'], made['metadata-location']]
  })

  test.each(Object.entries(attacks))('%s is refused', async (_, attack) => {
    for (const location of locations) {
      const before = await textOf(keyOf(location))
      expect(await refusalOf(attack(keyOf(location)))).toMatch(/^AccessDenied: .*current metadata of a table or view/)
      expect(await textOf(keyOf(location))).toBe(before)
    }
  })

  test('an older metadata file, and that of a dropped table, can be deleted', async () => {
    const [first = ''] = locations
    await catalog.must('POST', `lake/namespaces/db/tables/${table}`, { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] })
    await s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(first) }))
    const current = (await catalog.load('db', table))['metadata-location']
    expect(await refusalOf(s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(current) })))).toMatch(/^AccessDenied/)
    await catalog.must('DELETE', `lake/namespaces/db/tables/${table}`)
    await s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(current) }))
    expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: keyOf(current) })))).toMatch(/^NoSuchKey/)
  })
})

test('of registrations and deletes that race, no table is left without its metadata', async () => {
  await catalog.must('POST', 'lake/namespaces/db/tables', { name: 'source', schema })
  const text = (await textOf(keyOf((await catalog.load('db', 'source'))['metadata-location']))) ?? ''
  for (let round = 0; round < 40; round++) {
    const Key = `raced/${round}.metadata.json`
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: text }))
    const [registered, deleted] = await Promise.all([
      catalog.ask('POST', 'lake/namespaces/db/register', { name: `raced${round}`, 'metadata-location': `s3://lake/${Key}` }),
      refusalOf(s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    ])
    expect([200, 404]).toContain(registered.status)
    // Deleted first, and not registered; or registered first, and not deleted.
    expect([registered.status, deleted.split(':')[0]]).toEqual(registered.status === 200 ? [200, 'AccessDenied'] : [404, 'it was accepted'])
    if (registered.status === 200) expect((await catalog.load('db', `raced${round}`))['metadata-location']).toBe(`s3://lake/${Key}`)
  }
})

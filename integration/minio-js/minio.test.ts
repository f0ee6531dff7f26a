/** minio-js. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type BucketItem, Client, CopyDestinationOptions, CopySourceOptions, S3Error } from 'minio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documented, holds } from '../documented.ts'
import { accessKeyId, endpoint, freshBucket } from '../connection.ts'

const mebibyte = 1 << 20
const keys = 1_050
const { hostname, port } = new URL(endpoint)
const scratch = mkdtempSync(join(tmpdir(), 'minio-js-'))

function connect(accessKey: string, secretKey: string): Client {
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey })
}

const client = new Client({
  endPoint: '127.0.0.1',
  port: Number(port),
  useSSL: false,
  accessKey: 'moraineadmin',
  secretKey: 'moraineadmin',
})
let bucket = ''

beforeAll(async () => {
  bucket = freshBucket('minio-js')
  await client.makeBucket(bucket)
})

afterAll(() => rmSync(scratch, { recursive: true }))

const read = async (key: string): Promise<Buffer> => buffer(await client.getObject(bucket, key))

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  const refusal: unknown = await call.then(() => undefined, (error: unknown) => error)
  if (!(refusal instanceof S3Error)) throw new Error('no refusal', { cause: refusal })
  return refusal.code
}

async function list(prefix: string, recursive: boolean): Promise<string[]> {
  const names: string[] = []
  for await (const item of client.listObjectsV2(bucket, prefix, recursive) as AsyncIterable<BucketItem>) names.push(item.name ?? item.prefix ?? '')
  return names
}

test('the documented settings are the ones used here', () => {
  const block = documented('minio-js', 'ts').replace('9000', 'Number(port)')
  expect(holds(readFileSync(import.meta.filename, 'utf8'), block, '')).toBe(true)
})

test('makes, finds and removes buckets', async () => {
  const name = freshBucket('buckets')
  await client.makeBucket(name, 'us-east-1')
  expect(await client.bucketExists(name)).toBe(true)
  expect((await client.listBuckets()).map(entry => entry.name)).toContain(name)
  await client.putObject(name, 'full', 'x')
  expect(await codeOf(client.removeBucket(name))).toBe('BucketNotEmpty')
  await client.removeObject(name, 'full')
  await client.removeBucket(name)
  expect(await client.bucketExists(name)).toBe(false)
})

test.each([0, 1, 300_000, 5 * mebibyte, 65 * mebibyte + 3])('writes and reads %d bytes', async size => {
  const body = randomBytes(size)
  const key = `size/${size} ü+%`
  await client.putObject(bucket, key, body, size, { 'Content-Type': 'text/plain', Team: 'ice' })
  expect((await read(key)).equals(body)).toBe(true)
  const head = await client.statObject(bucket, key)
  expect(head).toMatchObject({ size, metaData: { team: 'ice', 'content-type': 'text/plain' } })
})

test('writes streams of unknown length and files', async () => {
  const body = randomBytes(9 * mebibyte)
  await client.putObject(bucket, 'stream', Readable.from([body.subarray(0, 1_000), body.subarray(1_000)]))
  await client.fGetObject(bucket, 'stream', join(scratch, 'down'))
  expect((await readFile(join(scratch, 'down'))).equals(body)).toBe(true)
  await writeFile(join(scratch, 'up'), body)
  await client.fPutObject(bucket, 'file', join(scratch, 'up'))
  expect((await read('file')).equals(body)).toBe(true)
})

test('reads ranges, copies and composes', async () => {
  const pieces = [randomBytes(5 * mebibyte), randomBytes(100_000)]
  for (const [index, piece] of pieces.entries()) await client.putObject(bucket, `piece/${index}`, piece)
  const [, tail] = pieces
  expect(await buffer(await client.getPartialObject(bucket, 'piece/1', 65_530, 20))).toEqual(tail?.subarray(65_530, 65_550))
  await client.copyObject(bucket, 'copied', `/${bucket}/piece/1`)
  expect((await read('copied')).equals(pieces[1] ?? Buffer.alloc(0))).toBe(true)
  const sources = pieces.map((_, index) => new CopySourceOptions({ Bucket: bucket, Object: `piece/${index}` }))
  await client.composeObject(new CopyDestinationOptions({ Bucket: bucket, Object: 'composed' }), sources)
  expect((await read('composed')).equals(Buffer.concat(pieces))).toBe(true)
})

test('lists and removes many keys', async () => {
  const wanted = Array.from({ length: keys }, (_, index) => `many/${String(index).padStart(4, '0')}`)
  for (let start = 0; start < keys; start += 25) {
    await Promise.all(wanted.slice(start, start + 25).map(key => client.putObject(bucket, key, '')))
  }
  expect(await list('many/', true)).toEqual(wanted)
  expect(await list('man', false)).toEqual(['many/'])
  await client.removeObjects(bucket, wanted)
  expect(await list('many/', true)).toEqual([])
})

test('presigns', async () => {
  const put = await client.presignedPutObject(bucket, 'signed', 60)
  expect((await fetch(put, { method: 'PUT', body: 'body' })).status).toBe(200)
  const get = await client.presignedGetObject(bucket, 'signed', 60)
  expect(await (await fetch(get)).text()).toBe('body')
  expect((await fetch(get.replace('/signed', '/other'))).status).toBe(403)
  const policy = client.newPostPolicy()
  policy.setBucket(bucket)
  policy.setKey('posted')
  policy.setExpires(new Date(Date.now() + 60_000))
  const { postURL, formData } = await client.presignedPostPolicy(policy)
  const form = new FormData()
  for (const [name, value] of Object.entries(formData)) form.append(name, String(value))
  form.append('file', new Blob(['posted body']))
  expect((await fetch(postURL, { method: 'POST', body: form })).status).toBe(204)
  expect((await read('posted')).toString()).toBe('posted body')
})

test('is refused with wrong credentials, and for what is absent', async () => {
  expect(await codeOf(connect(accessKeyId, 'wrong').listBuckets())).toBe('SignatureDoesNotMatch')
  expect(await codeOf(connect('nobody', 'wrong').listBuckets())).toBe('InvalidAccessKeyId')
  expect(await codeOf(client.getObject(bucket, 'absent'))).toBe('NoSuchKey')
})

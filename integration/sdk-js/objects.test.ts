import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand, CreateBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
  ListObjectsV2Command, PutObjectCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('objects')
beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

const md5 = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`
const read = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from(await Body?.transformToByteArray() ?? [])
}

// Around the sizes at which storing changes: empty, the inline limit of 64 KiB, and several blocks.
test.each([0, 1, 4096, 65_535, 65_536, 65_537, 1_048_576, 5_242_881, 16_777_216])('%d bytes come back as they were put', async size => {
  const bytes = randomBytes(size)
  const put = await s3.send(new PutObjectCommand({ Bucket, Key: `size-${size}`, Body: bytes }))
  expect(put.ETag).toBe(md5(bytes))
  expect((await read(`size-${size}`)).equals(bytes)).toBe(true)
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: `size-${size}` }))
  expect(head).toMatchObject({ ContentLength: size, ETag: put.ETag, AcceptRanges: 'bytes' })
  expect(Math.abs(Date.now() - (head.LastModified?.getTime() ?? 0))).toBeLessThan(60_000)
})

test('a stream of known length comes back as it was put', async () => {
  const bytes = randomBytes(3_000_000)
  const chunks = Array.from({ length: 30 }, (_, index) => bytes.subarray(index * 100_000, (index + 1) * 100_000))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: Readable.from(chunks), ContentLength: bytes.length }))
  expect((await read('stream')).equals(bytes)).toBe(true)
})

test('an object that is put again is the new one', async () => {
  for (const text of ['first', 'second and longer', 'x'.repeat(100_000), '']) {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'again', Body: text }))
    expect((await read('again')).toString()).toBe(text)
  }
})

test('metadata and content headers come back on GET and HEAD', async () => {
  const stored = {
    ContentType: 'text/csv; charset=utf-8',
    CacheControl: 'max-age=60, private',
    ContentDisposition: 'attachment; filename="a b.csv"',
    ContentEncoding: 'gzip',
    ContentLanguage: 'en-GB',
    Metadata: { plain: 'value', 'with-dash': 'a  b', empty: '' },
  }
  await s3.send(new PutObjectCommand({ Bucket, Key: 'described', Body: 'x', Expires: new Date(4_102_444_800_000), ...stored }))
  for (const answer of [
    await s3.send(new HeadObjectCommand({ Bucket, Key: 'described' })),
    await s3.send(new GetObjectCommand({ Bucket, Key: 'described' })),
  ]) {
    expect(answer).toMatchObject(stored)
    expect(answer.ExpiresString).toBe('Fri, 01 Jan 2100 00:00:00 GMT')
  }
})

test('an object put without a content type is binary/octet-stream', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'untyped', Body: 'x' }))
  const { ContentType } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'untyped' }))
  expect(['application/octet-stream', 'binary/octet-stream']).toContain(ContentType)
})

test('user metadata over 2 KiB is refused', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'too-described', Body: 'x', Metadata: { a: 'v'.repeat(2048) } })
  expect(await refusalOf(s3.send(put))).toEqual({ code: 'MetadataTooLarge', status: 400 })
})

test('response-* parameters replace the headers of a GET', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'overridden', Body: 'x', ContentType: 'text/plain' }))
  const answer = await s3.send(new GetObjectCommand({
    Bucket, Key: 'overridden', ResponseContentType: 'application/x-other', ResponseContentDisposition: 'inline', ResponseCacheControl: 'no-store',
  }))
  expect(answer).toMatchObject({ ContentType: 'application/x-other', ContentDisposition: 'inline', CacheControl: 'no-store' })
})

describe('ranges', () => {
  const sizes = { inline: 10_000, large: 3_000_000 }
  const bytes = { inline: randomBytes(sizes.inline), large: randomBytes(sizes.large) }
  beforeAll(async () => {
    for (const kind of ['inline', 'large'] as const) await s3.send(new PutObjectCommand({ Bucket, Key: `range-${kind}`, Body: bytes[kind] }))
  })

  const cases = (size: number): [string, number, number][] => [
    ['bytes=0-0', 0, 1],
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, size],
    ['bytes=-1', size - 1, size],
    ['bytes=-500', size - 500, size],
    [`bytes=-${size * 2}`, 0, size],
    [`bytes=${size - 1}-${size + 1000}`, size - 1, size],
    [`bytes=4095-8193`, 4095, 8194],
    [`bytes=0-${size - 1}`, 0, size],
  ]
  test.each((['inline', 'large'] as const).flatMap(kind => cases(sizes[kind]).map(([range, start, end]) => ({ kind, range, start, end }))))(
    '$kind object, $range', async ({ kind, range, start, end }) => {
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key: `range-${kind}`, Range: range }))
      expect(answer.$metadata.httpStatusCode).toBe(206)
      expect(answer).toMatchObject({ ContentRange: `bytes ${start}-${end - 1}/${sizes[kind]}`, ContentLength: end - start })
      const got = Buffer.from(await answer.Body?.transformToByteArray() ?? [])
      expect(got.equals(bytes[kind].subarray(start, end))).toBe(true)
    })

  test.each([`bytes=${sizes.inline}-`, 'bytes=20000-30000', 'bytes=-0'])('%s is not satisfiable', async Range => {
    expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'range-inline', Range })))).toEqual({ code: 'InvalidRange', status: 416 })
  })

  test('a range that is not one is ignored', async () => {
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'range-inline', Range: 'bytes=9-3' }))
    expect(answer.$metadata.httpStatusCode).toBe(200)
    expect((await answer.Body?.transformToByteArray())?.length).toBe(sizes.inline)
  })
})

describe('deletes', () => {
  test('an absent key: GET is NoSuchKey, HEAD 404, DELETE 204', async () => {
    expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'absent' })))).toEqual({ code: 'NoSuchKey', status: 404 })
    expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'absent' })))).toEqual({ code: 'NotFound', status: 404 })
    expect((await s3.send(new DeleteObjectCommand({ Bucket, Key: 'absent' }))).$metadata.httpStatusCode).toBe(204)
  })

  test('DeleteObjects reports every key, or only errors when quiet', async () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `many/${String(index).padStart(4, '0')}`)
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(keys.slice(start, start + 50).map(Key => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))))
    }
    const loud = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.slice(0, 500).map(Key => ({ Key })) } }))
    expect(loud.Deleted?.map(({ Key }) => Key).toSorted()).toEqual(keys.slice(0, 500))
    const quiet = await s3.send(new DeleteObjectsCommand({
      Bucket, Delete: { Quiet: true, Objects: [...keys.slice(500), 'many/absent & <odd>'].slice(0, 1000).map(Key => ({ Key })) },
    }))
    expect(quiet.Deleted ?? []).toEqual([])
    expect(quiet.Errors ?? []).toEqual([])
    const left = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'many/' }))
    expect(left.KeyCount).toBe(0)
  })

  test('more than 1,000 keys in one DeleteObjects is MalformedXML', async () => {
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: `k${index}` }))
    expect(await refusalOf(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })))).toEqual({ code: 'MalformedXML', status: 400 })
  })
})

describe('copies', () => {
  test('a copy keeps bytes and metadata, or replaces the metadata when told', async () => {
    const bytes = randomBytes(200_000)
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: bytes, ContentType: 'text/x-source', Metadata: { from: 'source' } }))
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource: `${Bucket}/source` }))
    expect(copied.CopyObjectResult?.ETag).toBe(put.ETag)
    expect((await read('copied')).equals(bytes)).toBe(true)
    const kept = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copied' }))
    expect(kept).toMatchObject({ ContentType: 'text/x-source', Metadata: { from: 'source' } })
    await s3.send(new CopyObjectCommand({
      Bucket, Key: 'replaced', CopySource: `${Bucket}/source`, MetadataDirective: 'REPLACE', ContentType: 'text/x-new', Metadata: { to: 'new' },
    }))
    const replaced = await s3.send(new HeadObjectCommand({ Bucket, Key: 'replaced' }))
    expect(replaced).toMatchObject({ ContentType: 'text/x-new', Metadata: { to: 'new' } })
    expect(replaced.Metadata?.['from']).toBeUndefined()
  })

  test('a copy outlives its source', async () => {
    const bytes = randomBytes(300_000)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'short-lived', Body: bytes }))
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'long-lived', CopySource: `${Bucket}/short-lived` }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'short-lived', Body: 'overwritten' }))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'short-lived' }))
    expect((await read('long-lived')).equals(bytes)).toBe(true)
  })

  test('a copy crosses buckets and takes an encoded source', async () => {
    const other = freshBucket('copy-target')
    await s3.send(new CreateBucketCommand({ Bucket: other }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'with space+plus/é', Body: 'odd' }))
    const CopySource = `${Bucket}/${encodeURIComponent('with space+plus/é')}`
    await s3.send(new CopyObjectCommand({ Bucket: other, Key: 'arrived', CopySource }))
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: other, Key: 'arrived' }))
    expect(await Body?.transformToString()).toBe('odd')
  })

  test('a copy onto itself needs a change, and of an absent key is NoSuchKey', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'self', Body: 'self' }))
    const onto = new CopyObjectCommand({ Bucket, Key: 'self', CopySource: `${Bucket}/self` })
    expect(await refusalOf(s3.send(onto))).toEqual({ code: 'InvalidRequest', status: 400 })
    const absent = new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/not-there` })
    expect(await refusalOf(s3.send(absent))).toEqual({ code: 'NoSuchKey', status: 404 })
  })
})

test('a read after every acknowledged write sees it, from any connection', async () => {
  const others = Array.from({ length: 8 }, () => connect())
  for (let round = 0; round < 30; round += 1) {
    const text = `round ${round}`
    await s3.send(new PutObjectCommand({ Bucket, Key: 'consistent', Body: text }))
    const seen = await Promise.all(others.map(async other => {
      const { Body } = await other.send(new GetObjectCommand({ Bucket, Key: 'consistent' }))
      return Body?.transformToString()
    }))
    expect(new Set(seen)).toEqual(new Set([text]))
  }
})

import { createHash } from 'node:crypto'
import {
  CopyObjectCommand, CreateBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('keys')
beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

const oddKeys: [string, string][] = [
  ['two slashes', 'a//b'],
  ['a leading slash', '/leading'],
  ['only slashes', '//'],
  ['one dot', '.'],
  ['two dots', '..'],
  ['dots inside', 'a/../b/./c'],
  ['a trailing slash', 'folder/'],
  ['spaces', ' a b  c '],
  ['a plus', 'a+b'],
  ['percent signs', '100%/%2F%41'],
  ['reserved characters', `!$&'()*,;=:@?#[]"<>|\\^\`{}~`],
  ['XML characters', '<a>&amp;"\'</a>'],
  ['characters outside the BMP', 'emoji \u{1f600}/\u{10ffff}'],
  ['combining and composed forms', 'e\u0301 \u00e9'],
  ['1,024 bytes', 'k'.repeat(1024)],
  ['1,024 bytes of two-byte characters', 'é'.repeat(512)],
]

test.each(oddKeys)('a key with %s', async (_, Key) => {
  const body = `the object ${Key}`
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }))
  const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
  expect(await got.Body?.transformToString()).toBe(body)
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))
  expect(listed.Contents?.map(entry => entry.Key)).toContain(Key)
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${encodeURIComponent(Key)}` }))
  const copied = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))
  expect(copied.ETag).toBe(got.ETag)
  await s3.send(new DeleteObjectCommand({ Bucket, Key }))
  expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 })
})

test('odd keys are all different objects', async () => {
  const keys = oddKeys.map(([, key]) => key).filter(key => Buffer.byteLength(key) < 1000).map(key => `all/${key}`)
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  for (const Key of keys) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(await Body?.transformToString()).toBe(Key)
  }
  const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map(Key => ({ Key })) } }))
  expect(deleted.Deleted?.map(({ Key }) => Key).toSorted()).toEqual(keys.toSorted())
  expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'all/' }))).KeyCount).toBe(0)
})

test.each([['control characters', 'tab\tnewline\nbell\u0007end'], ['delete', 'a\u007fb']])('a key with %s', async (_, Key) => {
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'control' }))
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  expect(await Body?.transformToString()).toBe('control')
  // Such a key is not legal XML 1.0, which is what encoding-type=url is for.
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url', Prefix: Key }))
  expect(listed.Contents?.map(entry => decodeURIComponent((entry.Key ?? '').replaceAll('+', ' ')))).toEqual([Key])
  await s3.send(new DeleteObjectCommand({ Bucket, Key }))
})

test.each([['1,025 bytes', 'k'.repeat(1025)], ['1,026 bytes in 513 characters', 'é'.repeat(513)]])('a key of %s is refused', async (_, Key) => {
  expect(await refusalOf(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })))).toEqual({ code: 'KeyTooLongError', status: 400 })
})

describe('presigned URLs', () => {
  test('carry GET, PUT and DELETE without credentials', async () => {
    const Key = 'presigned/a b+c'
    const put = await fetch(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 }), { method: 'PUT', body: 'signed' })
    expect(put.status).toBe(200)
    const got = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 }))
    expect(await got.text()).toBe('signed')
    expect(got.headers.get('etag')).toBe(`"${createHash('md5').update('signed').digest('hex')}"`)
    const named = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key, ResponseContentType: 'text/x-named' })))
    expect(named.headers.get('content-type')).toBe('text/x-named')
    const removed = await fetch(await getSignedUrl(s3, new DeleteObjectCommand({ Bucket, Key })), { method: 'DELETE' })
    expect(removed.status).toBe(204)
  })

  const refused = async (url: string, init?: RequestInit) => {
    const answer = await fetch(url, init)
    const body = await answer.text()
    return { status: answer.status, code: /<Code>([^<]*)<\/Code>/.exec(body)?.[1] }
  }

  test('are bound to method, key, parameters and time', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'bound', Body: 'x' }))
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'bound' }), { expiresIn: 60 })
    const mismatch = { status: 403, code: 'SignatureDoesNotMatch' }
    expect(await refused(url, { method: 'PUT', body: 'y' })).toEqual(mismatch)
    expect(await refused(url.replace('/bound?', '/other?'))).toEqual(mismatch)
    expect(await refused(`${url}&response-content-type=text/html`)).toEqual(mismatch)
    expect(await refused(url.replace(/X-Amz-Signature=./, 'X-Amz-Signature=0').replace(/X-Amz-Expires=60/, 'X-Amz-Expires=61'))).toEqual(mismatch)
    const expired = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'bound' }), { expiresIn: 60, signingDate: new Date(Date.now() - 120_000) })
    expect(await refused(expired)).toEqual({ status: 403, code: 'AccessDenied' })
    const tooLong = url.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801')
    expect(await refused(tooLong)).toEqual({ status: 400, code: 'AuthorizationQueryParametersError' })
    expect((await fetch(url)).status).toBe(200)
  })
})

import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateBucketCommand, CreateMultipartUploadCommand, DeleteBucketCommand,
  GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, PutObjectCommand,
  UploadPartCommand, UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { beforeAll, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('multipart')
const mebibyte = 1 << 20
const first = randomBytes(5 * mebibyte)
const second = randomBytes(5 * mebibyte + 17)
const last = randomBytes(1000)

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

async function begin(Key: string): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'text/parts', Metadata: { by: 'parts' } }))
  expect(UploadId).toBeTruthy()
  return UploadId ?? ''
}

async function part(Key: string, UploadId: string, PartNumber: number, Body: Uint8Array) {
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
  return { ETag, PartNumber }
}

const complete = (Key: string, UploadId: string, Parts: { ETag?: string | undefined; PartNumber: number }[]) =>
  s3.send(new CompleteMultipartUploadCommand({
    Bucket, Key, UploadId, MultipartUpload: { Parts: Parts.map(({ ETag, PartNumber }) => ({ ETag: ETag ?? '', PartNumber })) },
  }))

const read = async (Key: string, Range?: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }))
  return Buffer.from(await Body?.transformToByteArray() ?? [])
}

function etagOf(...parts: Uint8Array[]): string {
  const digests = Buffer.concat(parts.map(bytes => createHash('md5').update(bytes).digest()))
  return `"${createHash('md5').update(digests).digest('hex')}-${parts.length}"`
}

test('parts sent out of order become one object, invisible until completion', async () => {
  const Key = 'ordered'
  const UploadId = await begin(Key)
  const parts = [await part(Key, UploadId, 7, last), await part(Key, UploadId, 2, second), await part(Key, UploadId, 1, first)].toReversed()
  expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 })
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))
  expect(listed.KeyCount).toBe(0)
  const done = await complete(Key, UploadId, parts)
  expect(done).toMatchObject({ Bucket, Key, ETag: etagOf(first, second, last) })
  const whole = Buffer.concat([first, second, last])
  expect((await read(Key)).equals(whole)).toBe(true)
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }))
  expect(head).toMatchObject({ ContentLength: whole.length, ETag: done.ETag, ContentType: 'text/parts', Metadata: { by: 'parts' } })
  const across = await read(Key, `bytes=${first.length - 10}-${first.length + second.length + 9}`)
  expect(across.equals(whole.subarray(first.length - 10, first.length + second.length + 10))).toBe(true)
  const byNumber = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }))
  expect(byNumber).toMatchObject({ PartsCount: 3, ContentLength: second.length })
  expect(Buffer.from(await byNumber.Body?.transformToByteArray() ?? []).equals(second)).toBe(true)
})

test('a repeated completion answers the same; a late abort is NoSuchUpload', async () => {
  const UploadId = await begin('repeated')
  const parts = [await part('repeated', UploadId, 1, last)]
  const once = await complete('repeated', UploadId, parts)
  const twice = await complete('repeated', UploadId, parts)
  expect(twice.ETag).toBe(once.ETag)
  const abort = new AbortMultipartUploadCommand({ Bucket, Key: 'repeated', UploadId })
  expect(await refusalOf(s3.send(abort))).toEqual({ code: 'NoSuchUpload', status: 404 })
  expect((await read('repeated')).equals(last)).toBe(true)
})

test('a part that is sent again replaces the first', async () => {
  const UploadId = await begin('replaced')
  await part('replaced', UploadId, 1, randomBytes(2000))
  const kept = await part('replaced', UploadId, 1, last)
  await complete('replaced', UploadId, [kept])
  expect((await read('replaced')).equals(last)).toBe(true)
})

test('completion refuses a wrong order, a wrong ETag, an absent part, a small part and no parts', async () => {
  const Key = 'refused'
  const UploadId = await begin(Key)
  const one = await part(Key, UploadId, 1, first)
  const two = await part(Key, UploadId, 2, last)
  const small = await part(Key, UploadId, 3, last)
  expect(await refusalOf(complete(Key, UploadId, [two, one]))).toEqual({ code: 'InvalidPartOrder', status: 400 })
  expect(await refusalOf(complete(Key, UploadId, [{ ...one, ETag: '"0123456789abcdef0123456789abcdef"' }]))).toEqual({ code: 'InvalidPart', status: 400 })
  expect(await refusalOf(complete(Key, UploadId, [one, { ...two, PartNumber: 9 }]))).toEqual({ code: 'InvalidPart', status: 400 })
  expect(await refusalOf(complete(Key, UploadId, [one, two, small]))).toEqual({ code: 'EntityTooSmall', status: 400 })
  expect(await refusalOf(complete(Key, UploadId, []))).toEqual({ code: 'MalformedXML', status: 400 })
  const done = await complete(Key, UploadId, [one, two])
  expect(done.ETag).toBe(etagOf(first, last))
})

test('an aborted upload is gone, with its parts', async () => {
  const UploadId = await begin('aborted')
  await part('aborted', UploadId, 1, last)
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId }))
  const gone = { code: 'NoSuchUpload', status: 404 }
  expect(await refusalOf(part('aborted', UploadId, 2, last))).toEqual(gone)
  expect(await refusalOf(s3.send(new ListPartsCommand({ Bucket, Key: 'aborted', UploadId })))).toEqual(gone)
  expect(await refusalOf(complete('aborted', UploadId, [{ ETag: '"x"', PartNumber: 1 }]))).toEqual(gone)
})

test.each([0, 10_001])('part number %d is refused', async PartNumber => {
  const UploadId = await begin('numbers')
  expect(await refusalOf(s3.send(new UploadPartCommand({ Bucket, Key: 'numbers', UploadId, PartNumber, Body: 'x' }))))
    .toEqual({ code: 'InvalidArgument', status: 400 })
})

test('an upload of one empty part is an empty object with a multipart ETag', async () => {
  const UploadId = await begin('empty')
  const done = await complete('empty', UploadId, [await part('empty', UploadId, 1, Buffer.alloc(0))])
  expect(done.ETag).toBe(etagOf(Buffer.alloc(0)))
  expect((await read('empty')).length).toBe(0)
})

test('parts are listed in order and paged', async () => {
  const UploadId = await begin('listed')
  for (const number of [5, 1, 3]) await part('listed', UploadId, number, last)
  const page = await s3.send(new ListPartsCommand({ Bucket, Key: 'listed', UploadId, MaxParts: 2 }))
  expect(page).toMatchObject({ IsTruncated: true, MaxParts: 2, UploadId, Key: 'listed' })
  expect(page.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 3])
  expect(page.Parts?.[0]).toMatchObject({ Size: last.length, ETag: `"${createHash('md5').update(last).digest('hex')}"` })
  const rest = await s3.send(new ListPartsCommand({ Bucket, Key: 'listed', UploadId, PartNumberMarker: page.NextPartNumberMarker }))
  expect(rest).toMatchObject({ IsTruncated: false })
  expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([5])
})

test('uploads are listed by key, grouped by delimiter and paged', async () => {
  const own = freshBucket('uploads')
  await s3.send(new CreateBucketCommand({ Bucket: own }))
  const ids = new Map<string, string>()
  for (const Key of ['b', 'a/2', 'a/1', 'c']) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: own, Key }))
    ids.set(Key, UploadId ?? '')
  }
  const all = await s3.send(new ListMultipartUploadsCommand({ Bucket: own }))
  expect(all.Uploads?.map(({ Key, UploadId }) => [Key, UploadId])).toEqual(['a/1', 'a/2', 'b', 'c'].map(key => [key, ids.get(key)]))
  const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket: own, Delimiter: '/' }))
  expect(grouped.Uploads?.map(({ Key }) => Key)).toEqual(['b', 'c'])
  expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'a/' }])
  const keys: (string | undefined)[] = []
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (let page = 0; page < 10; page += 1) {
    const listed = await s3.send(new ListMultipartUploadsCommand({ Bucket: own, MaxUploads: 1, ...marker }))
    keys.push(...(listed.Uploads ?? []).map(({ Key }) => Key))
    if (listed.IsTruncated !== true) break
    marker = { KeyMarker: listed.NextKeyMarker ?? '', UploadIdMarker: listed.NextUploadIdMarker ?? '' }
  }
  expect(keys).toEqual(['a/1', 'a/2', 'b', 'c'])
  for (const [Key, UploadId] of ids) await s3.send(new AbortMultipartUploadCommand({ Bucket: own, Key, UploadId }))
  await s3.send(new DeleteBucketCommand({ Bucket: own }))
})

test('parts are copied from ranges of another object', async () => {
  const source = Buffer.concat([first, second])
  await s3.send(new PutObjectCommand({ Bucket, Key: 'copy-source', Body: source }))
  const UploadId = await begin('assembled')
  const copy = async (PartNumber: number, CopySourceRange: string) => {
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand({
      Bucket, Key: 'assembled', UploadId, PartNumber, CopySource: `${Bucket}/copy-source`, CopySourceRange,
    }))
    return { ETag: CopyPartResult?.ETag, PartNumber }
  }
  const parts = [await copy(1, `bytes=0-${5 * mebibyte - 1}`), await copy(2, 'bytes=100-199'), await part('assembled', UploadId, 3, last)]
  expect(await refusalOf(copy(4, `bytes=0-${source.length}`))).toMatchObject({ status: 400 })
  // A part other than the last must have 5 MiB, so the two short ones go into one.
  expect(await refusalOf(complete('assembled', UploadId, parts))).toEqual({ code: 'EntityTooSmall', status: 400 })
  await complete('assembled', UploadId, parts.slice(0, 2))
  expect((await read('assembled')).equals(Buffer.concat([source.subarray(0, 5 * mebibyte), source.subarray(100, 200)]))).toBe(true)
})

test('lib-storage uploads a stream of unknown length in parallel parts', async () => {
  const bytes = randomBytes(23 * mebibyte + 5)
  const chunks = Array.from({ length: 24 }, (_, index) => bytes.subarray(index * mebibyte, (index + 1) * mebibyte))
  const upload = new Upload({ client: s3, params: { Bucket, Key: 'uploaded', Body: Readable.from(chunks) }, queueSize: 4, partSize: 5 * mebibyte })
  const done = await upload.done()
  expect(done.ETag).toMatch(/-5"$/)
  expect((await read('uploaded')).equals(bytes)).toBe(true)
})

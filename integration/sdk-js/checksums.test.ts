import { createHash, randomBytes } from 'node:crypto'
import {
  ChecksumAlgorithm, CompleteMultipartUploadCommand, CreateBucketCommand, CreateMultipartUploadCommand, GetObjectCommand, HeadObjectCommand,
  PutObjectCommand, UploadPartCommand, type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('checksums')
const text = '123456789'
/** The published check values of '123456789'. */
const known = {
  CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  SHA1: createHash('sha1').update(text).digest('base64'),
  SHA256: createHash('sha256').update(text).digest('base64'),
} as const
type Algorithm = keyof typeof known
const algorithms = Object.keys(known) as Algorithm[]

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

const field = (algorithm: Algorithm) => `Checksum${algorithm}` as const
const withValue = (algorithm: Algorithm, value: string): Partial<PutObjectCommandInput> => ({ [field(algorithm)]: value })

test('the algorithms under test are in the SDK', () => {
  expect(Object.keys(ChecksumAlgorithm)).toEqual(expect.arrayContaining(algorithms))
})

test.each(algorithms)('%s given is verified, stored and returned', async algorithm => {
  const Key = `given-${algorithm}`
  const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ...withValue(algorithm, known[algorithm]) }))
  expect(put[field(algorithm)]).toBe(known[algorithm])
  for (const answer of [
    await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' })),
    await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' })),
  ]) {
    expect(answer[field(algorithm)]).toBe(known[algorithm])
    expect(answer.ChecksumType).toBe('FULL_OBJECT')
  }
  const without = await connect({ responseChecksumValidation: 'WHEN_REQUIRED' }).send(new HeadObjectCommand({ Bucket, Key }))
  expect(without[field(algorithm)]).toBeUndefined()
})

test.each(algorithms)('a wrong %s stores nothing', async algorithm => {
  const Key = `wrong-${algorithm}`
  const wrong = Buffer.from(known[algorithm], 'base64')
  wrong[0] = (wrong[0] ?? 0) ^ 1
  const put = new PutObjectCommand({ Bucket, Key, Body: text, ...withValue(algorithm, wrong.toString('base64')) })
  expect(await refusalOf(s3.send(put))).toEqual({ code: 'BadDigest', status: 400 })
  expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 })
})

test.each(algorithms)('%s computed by the SDK over a 3 MB body', async ChecksumAlgorithm => {
  const bytes = randomBytes(3_000_000)
  const Key = `computed-${ChecksumAlgorithm}`
  const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ChecksumAlgorithm }))
  expect(put[field(ChecksumAlgorithm)]).toBeTruthy()
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
  expect(got[field(ChecksumAlgorithm)]).toBe(put[field(ChecksumAlgorithm)])
  expect(Buffer.from(await got.Body?.transformToByteArray() ?? []).equals(bytes)).toBe(true)
})

test('without any checksum the object gets CRC64NVME', async () => {
  const plain = connect({ requestChecksumCalculation: 'WHEN_REQUIRED' })
  const put = await plain.send(new PutObjectCommand({ Bucket, Key: 'default', Body: text }))
  expect(put).toMatchObject({ ChecksumCRC64NVME: known.CRC64NVME, ChecksumType: 'FULL_OBJECT' })
})

test('a Content-MD5 that does not match is BadDigest, one that is none InvalidDigest', async () => {
  const put = (ContentMD5: string) => s3.send(new PutObjectCommand({ Bucket, Key: 'md5', Body: text, ContentMD5 }))
  expect(await refusalOf(put(createHash('md5').update('other').digest('base64')))).toEqual({ code: 'BadDigest', status: 400 })
  expect(await refusalOf(put('bm90IGEgZGlnZXN0'))).toEqual({ code: 'InvalidDigest', status: 400 })
  await put(createHash('md5').update(text).digest('base64'))
})

const part = randomBytes(5 * 1024 * 1024)
const tail = randomBytes(123_456)

async function uploadParts(Key: string, algorithm: Algorithm, type: 'COMPOSITE' | 'FULL_OBJECT') {
  const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: algorithm, ChecksumType: type }))
  const parts = []
  for (const [index, Body] of [part, tail].entries()) {
    const sent = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm: algorithm }))
    expect(sent[field(algorithm)]).toBeTruthy()
    parts.push({ PartNumber: index + 1, ETag: sent.ETag ?? '', [field(algorithm)]: sent[field(algorithm)] })
  }
  return { UploadId, parts }
}

test.each(['SHA256', 'SHA1', 'CRC32', 'CRC32C'] as const)('%s of a multipart upload can be COMPOSITE', async algorithm => {
  const Key = `composite-${algorithm}`
  const { UploadId, parts } = await uploadParts(Key, algorithm, 'COMPOSITE')
  const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }))
  expect(done.ChecksumType).toBe('COMPOSITE')
  expect(done[field(algorithm)]).toMatch(/-2$/)
})

test('a COMPOSITE checksum is that of the parts\' checksums', async () => {
  const { UploadId, parts } = await uploadParts('composite', 'SHA256', 'COMPOSITE')
  const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'composite', UploadId, MultipartUpload: { Parts: parts } }))
  const digests = [part, tail].map(bytes => createHash('sha256').update(bytes).digest())
  expect(done.ChecksumSHA256).toBe(`${createHash('sha256').update(Buffer.concat(digests)).digest('base64')}-2`)
})

test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s of a multipart upload can be that of the whole object', async algorithm => {
  const whole = await s3.send(new PutObjectCommand({
    Bucket, Key: `whole-${algorithm}`, Body: Buffer.concat([part, tail]), ChecksumAlgorithm: algorithm,
  }))
  const Key = `full-${algorithm}`
  const { UploadId, parts } = await uploadParts(Key, algorithm, 'FULL_OBJECT')
  const complete = (value: string) => s3.send(new CompleteMultipartUploadCommand({
    Bucket, Key, UploadId, MultipartUpload: { Parts: parts }, ChecksumType: 'FULL_OBJECT', [field(algorithm)]: value,
  }))
  expect(await refusalOf(complete(known[algorithm]))).toEqual({ code: 'BadDigest', status: 400 })
  const done = await complete(whole[field(algorithm)] ?? '')
  expect(done[field(algorithm)]).toBe(whole[field(algorithm)])
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
  expect(got).toMatchObject({ ChecksumType: 'FULL_OBJECT', [field(algorithm)]: whole[field(algorithm)] })
  expect((await got.Body?.transformToByteArray())?.length).toBe(part.length + tail.length)
})

test('a part with a wrong checksum is refused and not stored', async () => {
  const Key = 'bad-part'
  const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32' }))
  const bad = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: tail, ChecksumCRC32: known.CRC32 })
  expect(await refusalOf(s3.send(bad))).toEqual({ code: 'BadDigest', status: 400 })
  const complete = new CompleteMultipartUploadCommand({
    Bucket, Key, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"x"', ChecksumCRC32: known.CRC32 }] },
  })
  expect(await refusalOf(s3.send(complete))).toEqual({ code: 'InvalidPart', status: 400 })
})

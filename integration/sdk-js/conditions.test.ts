import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand, DeleteObjectCommand,
  GetObjectCommand, HeadObjectCommand, PutBucketVersioningCommand, PutObjectCommand, UploadPartCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('conditions')
const failed = { code: 'PreconditionFailed', status: 412 }
const wrong = '"00000000000000000000000000000000"'
beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

const put = async (Key: string, Body: string, condition: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
  (await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }))).ETag ?? ''
const textOf = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()

describe('writes', () => {
  test('If-None-Match: * puts only where nothing is', async () => {
    await put('create', 'first', { IfNoneMatch: '*' })
    expect(await refusalOf(put('create', 'second', { IfNoneMatch: '*' }))).toEqual(failed)
    expect(await textOf('create')).toBe('first')
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'create' }))
    await put('create', 'third', { IfNoneMatch: '*' })
    expect(await textOf('create')).toBe('third')
  })

  test('If-Match puts only over the named ETag, and needs the object', async () => {
    const etag = await put('swap', 'one')
    const next = await put('swap', 'two', { IfMatch: etag })
    expect(await refusalOf(put('swap', 'three', { IfMatch: etag }))).toEqual(failed)
    expect(await textOf('swap')).toBe('two')
    await put('swap', 'three', { IfMatch: next })
    expect(await refusalOf(put('swap-absent', 'x', { IfMatch: wrong }))).toEqual({ code: 'NoSuchKey', status: 404 })
  })

  test('completion takes the same conditions, evaluated when it commits', async () => {
    const begin = async (Key: string) => {
      const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const { ETag = '' } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'parts' }))
      return (condition: { IfMatch?: string; IfNoneMatch?: string }) => s3.send(new CompleteMultipartUploadCommand({
        Bucket, Key, UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] }, ...condition,
      }))
    }
    const completeNew = await begin('complete')
    await put('complete', 'came first')
    expect(await refusalOf(completeNew({ IfNoneMatch: '*' }))).toEqual(failed)
    expect(await textOf('complete')).toBe('came first')
    expect(await refusalOf(completeNew({ IfMatch: wrong }))).toEqual(failed)
    const { ETag = '' } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'complete' }))
    await completeNew({ IfMatch: ETag })
    expect(await textOf('complete')).toBe('parts')
    const completeAbsent = await begin('complete-absent')
    expect(await refusalOf(completeAbsent({ IfMatch: wrong }))).toEqual({ code: 'NoSuchKey', status: 404 })
    await completeAbsent({ IfNoneMatch: '*' })
    expect(await textOf('complete-absent')).toBe('parts')
  })

  test('a conditional delete needs the ETag', async () => {
    const etag = await put('remove', 'x')
    expect(await refusalOf(s3.send(new DeleteObjectCommand({ Bucket, Key: 'remove', IfMatch: wrong })))).toEqual(failed)
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'remove', IfMatch: etag }))
    const absent = new DeleteObjectCommand({ Bucket, Key: 'remove', IfMatch: etag })
    expect(await refusalOf(s3.send(absent))).toEqual({ code: 'NoSuchKey', status: 404 })
  })

  test('a delete marker counts as absent', async () => {
    const versioned = freshBucket('conditions-versioned')
    await s3.send(new CreateBucketCommand({ Bucket: versioned }))
    await s3.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: 'Enabled' } }))
    const write = (condition: { IfMatch?: string; IfNoneMatch?: string }) =>
      s3.send(new PutObjectCommand({ Bucket: versioned, Key: 'k', Body: 'x', ...condition }))
    const { ETag = '' } = await write({ IfNoneMatch: '*' })
    expect(await refusalOf(write({ IfNoneMatch: '*' }))).toEqual(failed)
    await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'k' }))
    expect(await refusalOf(write({ IfMatch: ETag }))).toEqual({ code: 'NoSuchKey', status: 404 })
    await write({ IfNoneMatch: '*' })
  })

  test('of 32 clients that create a key at once, exactly one does', async () => {
    const clients = Array.from({ length: 8 }, () => connect())
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 32 }, (_, index) => (clients[index % 8] ?? s3).send(
        new PutObjectCommand({ Bucket, Key: `race-${round}`, Body: `writer ${index}`, IfNoneMatch: '*' }))))
      const winners = outcomes.flatMap((outcome, index) => outcome.status === 'fulfilled' ? [index] : [])
      expect(winners.length).toBe(1)
      const losers = outcomes.filter(outcome => outcome.status === 'rejected')
      for (const loser of losers) expect(await refusalOf(Promise.reject(loser.reason as Error))).toEqual(failed)
      expect(await textOf(`race-${round}`)).toBe(`writer ${winners[0]}`)
    }
  })

  test('an optimistic counter raced by 8 clients loses no increment', async () => {
    await put('counter', '0')
    const increment = async () => {
      for (let attempt = 0; attempt < 2000; attempt += 1) {
        const { Body, ETag = '' } = await s3.send(new GetObjectCommand({ Bucket, Key: 'counter' }))
        const next = String(Number(await Body?.transformToString()) + 1)
        const swapped = await put('counter', next, { IfMatch: ETag }).then(() => true, error => {
          if ((error as { name?: string }).name === 'PreconditionFailed') return false
          throw error
        })
        if (swapped) return
      }
      throw new Error('no increment in 2,000 attempts')
    }
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 10; round += 1) await increment()
    }))
    expect(await textOf('counter')).toBe('80')
  })
})

describe('reads', () => {
  const past = new Date(Date.now() - 86_400_000)
  const future = new Date(Date.now() + 86_400_000)
  const status = async (condition: { IfMatch?: string; IfNoneMatch?: string; IfModifiedSince?: Date; IfUnmodifiedSince?: Date }) => {
    const answers = await Promise.all([GetObjectCommand, HeadObjectCommand].map(async Command => {
      try {
        return (await s3.send(new Command({ Bucket, Key: 'read', ...condition }))).$metadata.httpStatusCode
      } catch (error) {
        return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
      }
    }))
    expect(answers[0]).toBe(answers[1])
    return answers[0]
  }

  test('each of the four conditions, and their precedence', async () => {
    const etag = await put('read', 'x')
    expect(await status({ IfMatch: etag })).toBe(200)
    expect(await status({ IfMatch: wrong })).toBe(412)
    expect(await status({ IfMatch: '*' })).toBe(200)
    expect(await status({ IfNoneMatch: etag })).toBe(304)
    expect(await status({ IfNoneMatch: wrong })).toBe(200)
    expect(await status({ IfModifiedSince: past })).toBe(200)
    expect(await status({ IfUnmodifiedSince: past })).toBe(412)
    expect(await status({ IfUnmodifiedSince: future })).toBe(200)
    // RFC 9110, section 13.2.2: the ETag conditions decide, the dates beside them do not.
    expect(await status({ IfMatch: etag, IfUnmodifiedSince: past })).toBe(200)
    expect(await status({ IfNoneMatch: wrong, IfModifiedSince: new Date() })).toBe(200)
    expect(await status({ IfNoneMatch: etag, IfModifiedSince: past })).toBe(304)
  })
})

test('copy sources take conditions', async () => {
  const etag = await put('copy-from', 'x')
  const copy = (condition: { CopySourceIfMatch?: string; CopySourceIfNoneMatch?: string; CopySourceIfUnmodifiedSince?: Date }) =>
    s3.send(new CopyObjectCommand({ Bucket, Key: 'copy-to', CopySource: `${Bucket}/copy-from`, ...condition }))
  await copy({ CopySourceIfMatch: etag })
  expect(await refusalOf(copy({ CopySourceIfMatch: wrong }))).toEqual(failed)
  expect(await refusalOf(copy({ CopySourceIfNoneMatch: etag }))).toEqual(failed)
  expect(await refusalOf(copy({ CopySourceIfUnmodifiedSince: new Date(0) }))).toEqual(failed)
})

import {
  CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, GetBucketLocationCommand, GetBucketVersioningCommand, HeadBucketCommand,
  ListBucketsCommand, ListObjectsV2Command, PutBucketVersioningCommand, PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { accessKeyId, connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()

test('a bucket is created, found, listed, located and deleted', async () => {
  const Bucket = freshBucket('buckets')
  const created = await s3.send(new CreateBucketCommand({ Bucket }))
  expect(created.Location).toBe(`/${Bucket}`)
  await s3.send(new HeadBucketCommand({ Bucket }))
  const listed = await s3.send(new ListBucketsCommand({}))
  const entry = listed.Buckets?.find(bucket => bucket.Name === Bucket)
  expect(Date.now() - (entry?.CreationDate?.getTime() ?? 0)).toBeLessThan(60_000)
  const location = await s3.send(new GetBucketLocationCommand({ Bucket }))
  expect(location.LocationConstraint ?? '').toBe('')
  await s3.send(new DeleteBucketCommand({ Bucket }))
  expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: 'NoSuchBucket', status: 404 })
  expect(await refusalOf(s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ status: 404 })
})

test('creating an own bucket again in us-east-1 changes nothing and answers 200', async () => {
  const Bucket = freshBucket('again')
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }))
  const again = await s3.send(new CreateBucketCommand({ Bucket }))
  expect(again.$metadata.httpStatusCode).toBe(200)
  const listed = await s3.send(new ListObjectsV2Command({ Bucket }))
  expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['kept'])
})

test('a bucket that holds an object is not deleted', async () => {
  const Bucket = freshBucket('full')
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }))
  expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: 'BucketNotEmpty', status: 409 })
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await s3.send(new DeleteBucketCommand({ Bucket }))
})

test('a bucket that holds only a delete marker is not deleted', async () => {
  const Bucket = freshBucket('marked')
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'never-there' }))
  expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: 'BucketNotEmpty', status: 409 })
})

test.each(['ab', 'Has-Capitals', 'under_score', '-starts', 'ends-', 'two..dots', '192.168.5.4', 'xn--prefixed', 'a'.repeat(64)])(
  'the bucket name %s is refused', async Bucket => {
    expect(await refusalOf(s3.send(new CreateBucketCommand({ Bucket })))).toEqual({ code: 'InvalidBucketName', status: 400 })
  })

test('a bucket name of 63 characters and one with dots are accepted', async () => {
  const stem = freshBucket('long')
  for (const Bucket of [stem.padEnd(63, 'x'), `dots.${stem}.test`]) {
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' }))
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(1)
  }
})

test('operations on a bucket that does not exist answer NoSuchBucket', async () => {
  const Bucket = freshBucket('absent')
  const refused = { code: 'NoSuchBucket', status: 404 }
  expect(await refusalOf(s3.send(new ListObjectsV2Command({ Bucket })))).toEqual(refused)
  expect(await refusalOf(s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' })))).toEqual(refused)
  expect(await refusalOf(s3.send(new GetBucketVersioningCommand({ Bucket })))).toEqual(refused)
  expect(await refusalOf(s3.send(new GetBucketLocationCommand({ Bucket })))).toEqual(refused)
})

test('versioning is absent until it is set, then Enabled or Suspended', async () => {
  const Bucket = freshBucket('versioning')
  await s3.send(new CreateBucketCommand({ Bucket }))
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
  for (const Status of ['Enabled', 'Suspended'] as const) {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe(Status)
  }
})

test('a wrong secret is SignatureDoesNotMatch, an unknown key InvalidAccessKeyId, none AccessDenied', async () => {
  const wrong = connect({ credentials: { accessKeyId, secretAccessKey: 'not-the-secret-of-this-key' } })
  expect(await refusalOf(wrong.send(new ListBucketsCommand({})))).toEqual({ code: 'SignatureDoesNotMatch', status: 403 })
  const unknown = connect({ credentials: { accessKeyId: 'AKIAUNKNOWNUNKNOWN', secretAccessKey: 'not-the-secret-of-this-key' } })
  expect(await refusalOf(unknown.send(new ListBucketsCommand({})))).toEqual({ code: 'InvalidAccessKeyId', status: 403 })
  const anonymous = connect({ signer: { sign: request => Promise.resolve(request) } })
  expect(await refusalOf(anonymous.send(new ListBucketsCommand({})))).toEqual({ code: 'AccessDenied', status: 403 })
})

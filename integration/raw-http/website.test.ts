/** A bucket's website on its own host, beside the same bucket's S3: signed visitors are served, others are not. */
import { CreateBucketCommand, PutBucketWebsiteCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { connect, endpoint, freshBucket } from '../connection.ts'
import { websiteDomain } from '../parts.ts'
import { exchange, requestHead, send, signed } from './connection.ts'
import { emptySha256 } from './sign.ts'

const s3 = connect()
const Bucket = freshBucket('website')
const host = `${Bucket}.${websiteDomain}:${new URL(endpoint).port}`
const visit = (path: string, method = 'GET') => send(method, signed({ method, host, path, payload: emptySha256 }))

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketWebsiteCommand({
    Bucket,
    WebsiteConfiguration: {
      IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' },
      RoutingRules: [{ Condition: { KeyPrefixEquals: 'old/' }, Redirect: { ReplaceKeyPrefixWith: 'new/' } }],
    },
  }))
  for (const Key of ['index.html', 'iceberg/index.html', 'minio/health/live', 'error.html']) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: `page ${Key}`, ContentType: 'text/html' }))
  }
})

test('pages, folders and errors are served, paths of the server’s own parts included', async () => {
  expect(await visit('/')).toMatchObject({ status: 200, body: 'page index.html' })
  expect(await visit('/iceberg/')).toMatchObject({ status: 200, body: 'page iceberg/index.html' })
  expect(await visit('/minio/health/live')).toMatchObject({ status: 200, body: 'page minio/health/live' })
  expect(await visit('/none')).toMatchObject({ status: 404, body: 'page error.html' })
  const moved = await visit('/old/page')
  expect([moved.status, moved.headers['location']]).toEqual([301, `http://${host}/new/page`])
  expect((await visit('/', 'PUT')).status).toBe(405)
})

test('no object of a private bucket is served anonymously', async () => {
  for (const path of ['/', '/none']) {
    const answer = await exchange(requestHead('GET', path, { host, connection: 'close' }))
    expect([answer?.status, answer?.headers['x-amz-error-code']]).toEqual([403, 'AccessDenied'])
  }
})

/** The settings for this client in `docs/clients.md` are the ones used here, and suffice. */
import { readFileSync } from 'node:fs'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { endpoint } from '../connection.ts'
import { documented, holds } from '../documented.ts'

test('the documented settings connect', async () => {
  const client = new S3Client({
    endpoint: endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'moraineadmin', secretAccessKey: 'moraineadmin' },
  })
  expect(holds(readFileSync(import.meta.filename, 'utf8'), documented('AWS SDK for JavaScript', 'ts'), 'endpoint')).toBe(true)
  expect((await client.send(new ListBucketsCommand({}))).Buckets).toBeDefined()
})

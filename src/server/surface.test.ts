import { expect, it } from 'vitest'
import { surfaceOf } from './surface.ts'

it.each([
  ['/minio/health/live', 'localhost:9000', 'router'],
  ['/iceberg/v1/config', 'localhost', 'router'],
  ['/_iceberg/v1/config', undefined, 'router'],
  ['/', 'localhost', 's3'],
  ['/iceberg', 'localhost', 's3'],
  ['/iceberg?list-type=2', 'localhost', 's3'],
  ['/icebergs/key', 'localhost', 's3'],
  ['/bucket/iceberg/v1', 'localhost', 's3'],
  ['/%69ceberg/v1', 'localhost', 's3'],
  ['/iceberg/v1/config', 's3.example.org', 'router'],
  ['/iceberg/v1/config', 'bucket.s3.example.org:9000', 's3'],
  ['/minio/health/live', 'BUCKET.S3.Example.ORG', 's3'],
  ['/iceberg/v1/config', 'bucket.other.org', 'router'],
])('%s at %s is for %s', (url, host, surface) => {
  expect(surfaceOf(url, host, ['s3.example.org'])).toBe(surface)
})

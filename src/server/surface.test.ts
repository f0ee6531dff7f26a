import { expect, it } from 'vitest'
import { surfaceOf } from './surface.ts'

it.each([
  ['/_moraine/admin/v1/accounts', 'localhost', 'router'],
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
  expect(surfaceOf('GET', url, host, ['s3.example.org'])).toBe(surface)
})

it.each([
  ['POST', '/', 'localhost', 'query'],
  ['POST', '/?Action=AssumeRoleWithCertificate&Version=2011-06-15', 's3.example.org', 'query'],
  ['GET', '/?Action=GetCallerIdentity&Version=2011-06-15', 'localhost', 'query'],
  ['GET', '/?x=1&Action=GetCallerIdentity', 'localhost', 'query'],
  ['GET', '/?prefix=Action', 'localhost', 's3'],
  ['PUT', '/?Action=CreateUser', 'localhost', 's3'],
  ['POST', '/bucket', 'localhost', 's3'],
  ['POST', '/', 'bucket.s3.example.org', 's3'],
  ['POST', '//', 'localhost', 's3'],
])('%s %s at %s is for %s', (method, url, host, surface) => {
  expect(surfaceOf(method, url, host, ['s3.example.org'])).toBe(surface)
})

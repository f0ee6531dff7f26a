import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EngineError, type EngineErrorCode } from '../../engine/index.ts'
import { ChecksumError } from '../checksums/checksum-error.ts'
import { SigV4Error } from '../sigv4/sigv4-error.ts'
import { S3Error } from '../wire/errors.ts'
import { toS3Error } from './engine-errors.ts'

/** What AWS says to each; `Record` so that a new code of the engine does not compile without its answer. */
const answers: Readonly<Record<EngineErrorCode, readonly [string, number]>> = {
  NoSuchBucket: ['NoSuchBucket', 404],
  BucketAlreadyExists: ['BucketAlreadyExists', 409],
  TooManyBuckets: ['TooManyBuckets', 400],
  BucketNotEmpty: ['BucketNotEmpty', 409],
  NoSuchKey: ['NoSuchKey', 404],
  NoSuchVersion: ['NoSuchVersion', 404],
  IsDeleteMarker: ['MethodNotAllowed', 405],
  NoSuchUpload: ['NoSuchUpload', 404],
  InvalidPart: ['InvalidPart', 400],
  InvalidPartOrder: ['InvalidPartOrder', 400],
  EntityTooSmall: ['EntityTooSmall', 400],
  SizeMismatch: ['InvalidRequest', 400],
  PreconditionFailed: ['PreconditionFailed', 412],
  Pinned: ['AccessDenied', 403],
  InvalidRange: ['InvalidRange', 416],
  InvalidWriteOffset: ['InvalidWriteOffset', 400],
  IdempotencyParameterMismatch: ['IdempotencyParameterMismatch', 400],
  Contention: ['SlowDown', 503],
  StorageFull: ['XMinioStorageFull', 507],
  Unwritable: ['SlowDownWrite', 503],
  Unreadable: ['SlowDownRead', 503],
  Corrupt: ['InternalError', 500],
  OutcomeUnknown: ['ServiceUnavailable', 503],
  Io: ['InternalError', 500],
}

test.each(Object.entries(answers))('%s', (code, [answer, status]) => {
  const error = toS3Error(new EngineError(code as EngineErrorCode, 'the engine says', { path: '/drive/1', bucket: 'b' }))
  expect([error.code, error.status]).toEqual([answer, status])
  // What the engine says is for the log: neither its words nor its places reach the client.
  expect(error.message).not.toContain('the engine says')
  expect(error.elements).toEqual({ BucketName: 'b' })
})

test('every code has its line in the error page', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  for (const [answer, status] of Object.values(answers)) expect(page).toContain(`| \`${answer}\` | ${status} |`)
})

describe('a delete marker', () => {
  test('that was asked for by its id is 405 with what may be done to it', () => {
    const error = toS3Error(new EngineError('IsDeleteMarker', '', { versionId: 'v1', lastModifiedMs: '0' }))
    expect(error.headers).toEqual({ 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'v1', allow: 'DELETE', 'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT' })
  })

  test('on top of a key is 404 and shown', () => {
    const error = toS3Error(new EngineError('NoSuchKey', '', { deleteMarker: 'true', versionId: 'v1' }))
    expect([error.status, error.headers]).toEqual([404, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'v1' }])
  })
})

test('errors of the other layers keep their codes, and what is nobody’s says nothing', () => {
  const own = new S3Error('NoSuchTagSet')
  expect(toS3Error(own)).toBe(own)
  expect(toS3Error(new SigV4Error('InvalidAccessKeyId', 'no key', { AWSAccessKeyId: 'A' }))).toMatchObject({ code: 'InvalidAccessKeyId', elements: { AWSAccessKeyId: 'A' } })
  expect(toS3Error(new ChecksumError('InvalidRequest', 'no checksum'))).toMatchObject({ code: 'InvalidRequest' })
  for (const thrown of [new TypeError('secret'), 'secret', undefined]) {
    expect(toS3Error(thrown).code).toBe('InternalError')
    expect(toS3Error(thrown).message).not.toContain('secret')
  }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { S3Error } from '../wire/errors.ts'
import { admitSource, parseCopySource } from './copy-source.ts'
import type { ObjectVersion } from '../../engine/index.ts'

test.each([
  ['bucket/key', { bucket: 'bucket', key: 'key' }],
  ['/bucket/a/b%20c', { bucket: 'bucket', key: 'a/b c' }],
  ['bucket/a+b', { bucket: 'bucket', key: 'a+b' }],
  ['bucket//double', { bucket: 'bucket', key: '/double' }],
  ['bucket/key?versionId=abc', { bucket: 'bucket', key: 'key', versionId: 'abc' }],
  ['bucket/what%3F?versionId=null', { bucket: 'bucket', key: 'what?', versionId: 'null' }],
])('%s names its source', (header, source) => {
  expect(parseCopySource(header)).toEqual(source)
})

test.each(['bucket', '/bucket', '/', '', 'bucket/', 'bucket/%zz', 'bucket/key?versionId=', 'bucket/key?other=1', 'a/b?versionId=1?2'])('%s is no source', header => {
  expect(() => parseCopySource(header)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }))
})

test('every unmet source condition is a failed precondition', () => {
  const source = { etag: 'abc', lastModifiedMs: 1_000_000 } as ObjectVersion
  expect(() => admitSource({ CopySourceIfMatch: '"abc"', CopySourceIfUnmodifiedSince: new Date(0) })(source)).not.toThrow()
  expect(() => admitSource({ CopySourceIfMatch: '"other"' })(source)).toThrow(expect.objectContaining({ code: 'PreconditionFailed' }))
  expect(() => admitSource({ CopySourceIfNoneMatch: '"abc"' })(source)).toThrow(expect.objectContaining({ code: 'PreconditionFailed' }))
  expect(() => admitSource({ CopySourceIfModifiedSince: new Date(2_000_000) })(source)).toThrow(expect.objectContaining({ code: 'PreconditionFailed' }))
})

test('any source is read back as it was written, and any other text is read or refused', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).map(text => text.toWellFormed())
  fc.assert(fc.property(name, name, fc.option(fc.constantFrom('null', 'a'.repeat(32)), { nil: undefined }), (bucket, key, versionId) => {
    const header = `/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}${versionId === undefined ? '' : `?versionId=${versionId}`}`
    expect(parseCopySource(header)).toEqual({ bucket, key, ...(versionId === undefined ? {} : { versionId }) })
  }))
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('/', '?', '%', 'a', '=', 'versionId=', '%2') })), text => {
    try {
      const { bucket, key } = parseCopySource(text)
      return bucket !== '' && key !== ''
    } catch (error) {
      return error instanceof S3Error && error.code === 'InvalidArgument'
    }
  }))
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { S3Error } from './errors.ts'
import { parseQuery } from './query.ts'
import { requestReaderOf } from './read-request.ts'
import { s3Operations } from './s3-operations.ts'
import type { S3OperationName } from './s3-operations.ts'

function read<N extends S3OperationName>(name: N, request: { query?: string; headers?: Record<string, string | string[]>; body?: string | Buffer }) {
  const { query = '', headers = {}, body } = request
  return requestReaderOf(name).read({
    bucket: 'lake',
    key: 'k',
    query: parseQuery(query),
    headers,
    body: typeof body === 'string' ? Buffer.from(body) : body,
  })
}

const refused = (code: string, elements?: object) => expect.objectContaining({ code, ...(elements === undefined ? {} : { elements: expect.objectContaining(elements) as object }) })

describe('values', () => {
  it('are strict', () => {
    for (const value of ['5x', '', '1.0', '1e3', ' 5', '99999999999999999999']) {
      expect(() => read('ListObjectsV2', { query: `max-keys=${value}` })).toThrow(refused('InvalidArgument', { ArgumentName: 'max-keys', ArgumentValue: value }))
    }
    expect(read('ListObjectsV2', { query: 'max-keys=-1&fetch-owner=TRUE' }).input).toMatchObject({ MaxKeys: -1, FetchOwner: true })
    expect(() => read('ListObjectsV2', { query: 'fetch-owner=yes' })).toThrow(refused('InvalidArgument'))
    expect(() => read('PutObject', { headers: { 'x-amz-object-lock-retain-until-date': 'soon' } })).toThrow(refused('InvalidArgument'))
    expect(() => read('CopyObject', { headers: { 'x-amz-copy-source': 'a/b', 'x-amz-copy-source-if-unmodified-since': 'soon' } })).toThrow(refused('InvalidArgument'))
  })

  it('that are dates may be anything where HTTP says so', () => {
    const { input, present } = read('GetObject', { headers: { 'if-modified-since': 'soon' } })
    expect(input).not.toHaveProperty('IfModifiedSince')
    expect(present).toContain('IfModifiedSince')
    expect(read('PutObject', { headers: { expires: 'tomorrow' } }).input).not.toHaveProperty('Expires')
  })

  it('that come back as headers cannot break out of them', () => {
    expect(() => read('GetObject', { query: 'response-content-type=a%0d%0aSet-Cookie:b' })).toThrow(refused('InvalidArgument'))
  })

  it('in lists are split at commas', () => {
    const headers = { 'x-amz-object-attributes': ['ETag, Checksum', 'ObjectSize'] }
    expect(read('GetObjectAttributes', { headers }).input).toMatchObject({ ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize'] })
  })

  it('that are required must be there', () => {
    expect(() => read('GetObjectAttributes', {})).toThrow(refused('InvalidArgument', { ArgumentName: 'x-amz-object-attributes' }))
    expect(() => read('PutBucketTagging', {})).toThrow(refused('MissingRequestBodyError'))
  })
})

describe('metadata', () => {
  it('is decoded, and its names cannot reach a prototype', () => {
    const { input } = read('PutObject', { headers: { 'x-amz-meta-a': '=?UTF-8?B?w7w=?=', 'x-amz-meta-__proto__': 'x' } })
    expect(Object.entries(input.Metadata ?? {})).toEqual([['a', 'ü'], ['__proto__', 'x']])
    expect({}).not.toHaveProperty('x')
  })
})

describe('what the schema does not have', () => {
  it('is named', () => {
    const { unknownHeaders, unknownParameters } = read('GetObject', {
      query: 'versionId=1&foo=2&uploadId=3&x-id=GetObject',
      headers: { 'x-amz-tagging': 'a=b', 'x-amz-meta-a': 'b', 'if-match': '"a"', 'cache-control': 'no-cache', 'if-range': '"a"' },
    })
    expect(unknownHeaders).toEqual(['x-amz-tagging', 'x-amz-meta-a'])
    expect(unknownParameters).toEqual(['uploadId'])
  })

  it('includes conditions that the operation does not take', () => {
    expect(read('UploadPart', { query: 'partNumber=1&uploadId=2', headers: { 'if-none-match': '*' } }).unknownHeaders).toEqual(['if-none-match'])
    expect(read('GetBucketVersioning', { headers: { 'if-modified-since': 'x' } }).unknownHeaders).toEqual(['if-modified-since'])
  })

  it('leaves out what belongs to the transport', () => {
    const headers = {
      'x-amz-date': '', 'x-amz-content-sha256': '', 'x-amz-security-token': '', 'x-amz-user-agent': '', 'x-amz-decoded-content-length': '', 'x-amz-trailer': '',
      'x-amz-sdk-checksum-algorithm': '', 'amz-sdk-request': '', 'x-amzn-trace-id': '', 'x-amz-checksum-crc32': '', 'x-amz-te': '', authorization: '', host: '',
    }
    const query = 'X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=1&X-Amz-SignedHeaders=d&X-Amz-Signature=e&X-Amz-Security-Token=f&X-Amz-Content-Sha256=g'
    const { unknownHeaders, unknownParameters } = read('DeleteBucketCors', { headers, query: `cors&${query}` })
    expect([...unknownHeaders, ...unknownParameters]).toEqual([])
  })
})

describe('presigned URLs', () => {
  it('carry headers as parameters, and a header wins', () => {
    const { input, present } = read('PutObject', {
      query: 'x-amz-acl=private&x-amz-meta-a=%C3%BC&x-amz-storage-class=STANDARD&X-Amz-Foo=1',
      headers: { 'x-amz-storage-class': 'GLACIER' },
    })
    expect(input).toMatchObject({ ACL: 'private', Metadata: { a: 'ü' }, StorageClass: 'GLACIER' })
    expect(present).toEqual(['Bucket', 'Key', 'StorageClass', 'ACL', 'Metadata'])
    expect(read('PutObject', { query: 'X-Amz-Foo=1' }).unknownHeaders).toEqual(['x-amz-foo'])
  })
})

describe('documents', () => {
  const objects = '<Object><Key> a </Key></Object><Object><Key>b&#10;</Key><VersionId>null</VersionId></Object><Quiet>true</Quiet>'
  const expected = { Objects: [{ Key: ' a ' }, { Key: 'b\n', VersionId: 'null' }], Quiet: true }

  it.each([
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}</Delete>`,
    `<Delete>\n  ${objects}\n</Delete>`,
    `<s:Delete xmlns:s="x">${objects.replaceAll(/<(\/?)/g, '<$1s:')}</s:Delete>`,
  ])('with or without a namespace: %s', (body) => {
    expect(read('DeleteObjects', { query: 'delete', body }).input.Delete).toEqual(expected)
  })

  it.each([
    '<Delete/>',
    '<Delete><Object/></Delete>',
    '<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>',
    '<Delete><Object><Key><b/></Key></Object></Delete>',
    '<Delete><Object><Key>a</Key></Object><Quiet>maybe</Quiet></Delete>',
    '<Delete><Object><Key>a</Key></Object>text</Delete>',
    '<Delete><Object><Key>a</Key></Object><More/></Delete>',
    '<Remove><Object><Key>a</Key></Object></Remove>',
    'Delete',
  ])('refuses %s', (body) => {
    expect(() => read('DeleteObjects', { query: 'delete', body })).toThrow(refused('MalformedXML'))
  })

  it('may be absent where they are not required', () => {
    expect(read('CreateBucket', {}).present).toEqual(['Bucket'])
    expect(read('CreateBucket', { body: '' }).input).toEqual({ Bucket: 'lake' })
  })

  it('that are JSON stay text', () => {
    expect(read('PutBucketPolicy', { query: 'policy', body: '{"Statement":"ü"}' }).input.Policy).toBe('{"Statement":"ü"}')
  })

  it('that are streams stay streams', () => {
    expect(requestReaderOf('PutObject').body).toBe('stream')
    expect(requestReaderOf('DeleteObjects').body).toBe('document')
    expect(requestReaderOf('GetObject').body).toBe('none')
    const body = Buffer.from('bytes')
    expect(read('PutObject', { body }).input.Body).toBe(body)
  })

  it('hold 10,000 parts', () => {
    const parts = Array.from({ length: 10_000 }, (_, i) => `<Part><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><PartNumber>${i + 1}</PartNumber></Part>`)
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
    const read10k = read('CompleteMultipartUpload', { query: 'uploadId=1', body }).input.MultipartUpload?.Parts
    expect(read10k).toHaveLength(10_000)
    expect(read10k?.at(-1)).toEqual({ ETag: '"0123456789abcdef0123456789abcdef"', PartNumber: 10_000 })
  })
})

describe('any request of an operation', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '0', '-1', '1e9', 'true', '2026-01-01T00:00:00Z', '\u0000', '=?utf-8?b?////?='))

  it.each([...s3Operations.values()].map(({ name, input }) => [name, input] as const))('%s is read, or refused in S3’s words', (name, input) => {
    const named = (to: 'header' | 'query') => input.members.flatMap(({ binding }) => (binding.to === to ? [binding.name] : []))
    const headerNames = [...named('header').map(each => each.toLowerCase()), 'x-amz-meta-a', 'x-amz-unknown', 'if-match', 'content-md5']
    const parameters = [...named('query'), 'unknown']
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...headerNames), text, { maxKeys: 5 }),
        fc.dictionary(fc.constantFrom(...parameters), text, { maxKeys: 3 }),
        fc.option(fc.oneof(fc.string().map(each => Buffer.from(each)), fc.uint8Array({ maxLength: 50 }))),
        (headers, query, body) => {
          try {
            const { present, unknownHeaders } = requestReaderOf(name).read({
              bucket: 'lake', key: 'k', headers, query: new Map(Object.entries(query).map(([each, value]) => [each, [value]])), ...(body === null ? {} : { body }),
            })
            // Nothing that was sent as a header of S3's is lost: it is a member, or unknown.
            for (const header of Object.keys(headers)) if (header === 'x-amz-unknown') expect(unknownHeaders).toContain(header)
            for (const member of present) expect(input.members.map(each => each.name)).toContain(member)
          } catch (error) {
            expect(error).toBeInstanceOf(S3Error)
            expect((error as S3Error).status).toBeLessThan(500)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { responseWriterOf } from './write-response.ts'

const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 67))

function content(xml: unknown): string {
  expect(xml).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<\w+ xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/">/)
  return String(xml).split(' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"').join('').split('\n')[1] ?? ''
}

describe('documents', () => {
  it('have the elements of a listing in the order that AWS sends them', () => {
    const { status, headers, body } = responseWriterOf('ListObjectsV2')({
      IsTruncated: false,
      Contents: [{ Key: ' a&b\r', LastModified: at, ETag: '"e"', Size: 3, StorageClass: 'STANDARD' }],
      CommonPrefixes: [{ Prefix: 'p/' }],
      Name: 'lake',
      Prefix: '',
      MaxKeys: 1000,
      KeyCount: 2,
    })
    expect({ status, headers }).toEqual({ status: 200, headers: { 'Content-Type': 'application/xml' } })
    expect(content(body)).toBe(
      '<ListBucketResult><Name>lake</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>' +
        '<Contents><Key> a&amp;b&#xd;</Key><LastModified>2026-01-02T03:04:05.067Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size>' +
        '<StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>',
    )
  })

  it('have versions and delete markers interleaved', () => {
    const output = {
      Versions: [{ Key: 'a', VersionId: '1' }, { Key: 'b', VersionId: '3' }],
      DeleteMarkers: [{ Key: 'a', VersionId: '2' }],
      Name: 'lake',
      CommonPrefixes: [{ Prefix: 'p/' }],
    }
    const version = (key: string, id: number, element = 'Version') => `<${element}><Key>${key}</Key><VersionId>${id}</VersionId></${element}>`
    const inOrder = responseWriterOf('ListObjectVersions')({ ...output, $order: ['Versions', 'DeleteMarkers', 'Versions'] })
    const wrap = (xml: string) => `<ListVersionsResult><Name>lake</Name>${xml}<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListVersionsResult>`
    expect(content(inOrder.body)).toBe(wrap(version('a', 1) + version('a', 2, 'DeleteMarker') + version('b', 3)))
    expect(content(responseWriterOf('ListObjectVersions')(output).body)).toBe(wrap(version('a', 1) + version('b', 3) + version('a', 2, 'DeleteMarker')))
    expect(() => responseWriterOf('ListObjectVersions')({ ...output, $order: ['DeleteMarkers', 'DeleteMarkers'] })).toThrow('$order')
  })

  it('have the root that AWS gives them', () => {
    expect(content(responseWriterOf('ListBuckets')({ Buckets: [], Owner: { ID: 'o' } }).body)).toBe('<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets></Buckets></ListAllMyBucketsResult>')
    expect(content(responseWriterOf('GetBucketLocation')({ LocationConstraint: 'eu-west-1' }).body)).toBe('<LocationConstraint>eu-west-1</LocationConstraint>')
    expect(content(responseWriterOf('GetBucketLocation')({}).body)).toBe('<LocationConstraint></LocationConstraint>')
    expect(content(responseWriterOf('GetBucketVersioning')({}).body)).toBe('<VersioningConfiguration></VersioningConfiguration>')
    expect(content(responseWriterOf('CreateMultipartUpload')({ Bucket: 'lake' }).body)).toBe('<InitiateMultipartUploadResult><Bucket>lake</Bucket></InitiateMultipartUploadResult>')
    expect(content(responseWriterOf('CompleteMultipartUpload')({ Key: 'k' }).body)).toBe('<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>')
    expect(content(responseWriterOf('DeleteObjects')({ Errors: [{ Key: 'k', Code: 'AccessDenied' }] }).body)).toBe('<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>')
    const copied = responseWriterOf('CopyObject')({ CopyObjectResult: { ETag: '"e"', LastModified: at }, VersionId: 'v' })
    expect(content(copied.body)).toBe('<CopyObjectResult><LastModified>2026-01-02T03:04:05.067Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>')
    expect(copied.headers).toMatchObject({ 'x-amz-version-id': 'v' })
  })

  it('carry the grantee type as an attribute', () => {
    const { body } = responseWriterOf('GetBucketAcl')({ Grants: [{ Grantee: { Type: 'CanonicalUser', ID: 'o' }, Permission: 'FULL_CONTROL' }] })
    expect(content(body)).toBe(
      '<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>o</ID></Grantee>' +
        '<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>',
    )
  })
})

describe('headers', () => {
  it('of an object, with a body untouched', () => {
    const bytes = Buffer.from('bytes')
    const { status, headers, body } = responseWriterOf('GetObject')({
      Body: bytes,
      ContentLength: 5,
      ContentRange: 'bytes 0-4/9',
      ETag: '"e"',
      LastModified: at,
      Metadata: { a: 'ü', b: 'plain' },
      ContentDisposition: 'attachment; filename="ü€"',
      VersionId: undefined,
    })
    expect(status).toBe(206)
    expect(body).toBe(bytes)
    expect(headers).toEqual({
      'Content-Length': '5',
      'Content-Range': 'bytes 0-4/9',
      ETag: '"e"',
      'Last-Modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'x-amz-meta-a': '=?UTF-8?B?w7w=?=',
      'x-amz-meta-b': 'plain',
      'Content-Disposition': Buffer.from('attachment; filename="ü€"').toString('latin1'),
    })
  })

  it('keep the text of Expires', () => {
    expect(responseWriterOf('HeadObject')({ ExpiresString: 'tomorrow' }).headers).toEqual({ Expires: 'tomorrow' })
    expect(responseWriterOf('HeadObject')({ Expires: at, ExpiresString: 'tomorrow' }).headers).toEqual({ Expires: 'tomorrow' })
    expect(responseWriterOf('HeadObject')({ ExpiresString: 'tomorrow', Expires: at }).headers).toEqual({ Expires: 'tomorrow' })
  })

  it('take the status from the schema', () => {
    expect(responseWriterOf('DeleteObject')({ DeleteMarker: true, VersionId: 'v' })).toEqual({
      status: 204,
      headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'v' },
      body: undefined,
    })
    expect(responseWriterOf('PutBucketVersioning')({})).toEqual({ status: 200, headers: {}, body: undefined })
  })

  it('say that a policy is JSON', () => {
    expect(responseWriterOf('GetBucketPolicy')({ Policy: '{}' })).toEqual({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' })
  })
})

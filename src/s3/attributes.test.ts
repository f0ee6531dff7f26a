import { describe, expect, test } from 'vitest'
import { attributesOf, type AttributeMembers } from './attributes.ts'
import { uploadChecksum } from './upload-checksum.ts'
import { refuseInvalidWebsite } from './website.ts'
import type { WebsiteConfiguration } from '@aws-sdk/client-s3'

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('attributes', () => {
  test('are stored as sent, the text of Expires too', () => {
    const input = { CacheControl: 'no-cache', ContentDisposition: 'inline', ContentLanguage: 'de', ContentType: 'text/x', Metadata: { a: 'ü' }, StorageClass: 'GLACIER', WebsiteRedirectLocation: '/x' }
    expect(attributesOf(input, 'next week')).toEqual({
      headers: {
        'cache-control': 'no-cache', 'content-disposition': 'inline', 'content-language': 'de', 'content-type': 'text/x', expires: 'next week', 'x-amz-website-redirect-location': '/x',
      },
      userMetadata: { a: 'ü' },
      storageClass: 'GLACIER',
    })
    expect(attributesOf({}, undefined)).toEqual({ headers: { 'content-type': 'binary/octet-stream' }, userMetadata: {}, storageClass: 'STANDARD' })
  })

  test.each([
    ['aws-chunked', undefined],
    ['gzip', 'gzip'],
    ['aws-chunked, gzip', 'gzip'],
    ['gzip,AWS-chunked', 'gzip'],
    ['br, gzip', 'br,gzip'],
  ])('the coding %j is kept as %j', (sent, kept) => {
    expect(attributesOf({ ContentEncoding: sent }, undefined).headers['content-encoding']).toBe(kept)
  })

  test('metadata is bounded by its bytes, names and values together', () => {
    const limit = 2048
    expect(() => attributesOf({ Metadata: { a: 'x'.repeat(limit - 1) } }, undefined)).not.toThrow()
    expect(() => attributesOf({ Metadata: { a: 'x'.repeat(limit) } }, undefined)).toThrow(code('MetadataTooLarge'))
    expect(() => attributesOf({ Metadata: { a: 'ü'.repeat(limit / 2) } }, undefined)).toThrow(code('MetadataTooLarge'))
  })

  test.each<[AttributeMembers, string]>([
    [{ StorageClass: 'NONE' }, 'InvalidStorageClass'],
    [{ StorageClass: 'standard' }, 'InvalidStorageClass'],
    [{ WebsiteRedirectLocation: 'ftp://x' }, 'InvalidRedirectLocation'],
    [{ WebsiteRedirectLocation: 'page' }, 'InvalidRedirectLocation'],
  ])('%j are refused as %s', (input, expected) => {
    expect(() => attributesOf(input, undefined)).toThrow(code(expected))
  })
})

describe('the checksum of an upload', () => {
  test.each([
    [{}, undefined],
    [{ ChecksumAlgorithm: 'CRC32' }, { algorithm: 'CRC32', type: 'COMPOSITE' }],
    [{ ChecksumAlgorithm: 'crc32c', ChecksumType: 'FULL_OBJECT' }, { algorithm: 'CRC32C', type: 'FULL_OBJECT' }],
    [{ ChecksumAlgorithm: 'CRC64NVME' }, { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' }],
    [{ ChecksumAlgorithm: 'SHA256' }, { algorithm: 'SHA256', type: 'COMPOSITE' }],
  ])('of %j is %j', (input, checksum) => {
    expect(uploadChecksum(input as Parameters<typeof uploadChecksum>[0])).toEqual(checksum)
  })

  test.each([
    { ChecksumType: 'COMPOSITE' }, { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' }, { ChecksumAlgorithm: 'SHA1', ChecksumType: 'FULL_OBJECT' }, { ChecksumAlgorithm: 'CRC16' },
  ])('cannot be %j', input => {
    expect(() => uploadChecksum(input as Parameters<typeof uploadChecksum>[0])).toThrow(code('InvalidRequest'))
  })
})

describe('a website configuration', () => {
  const IndexDocument = { Suffix: 'index.html' }

  test.each<[WebsiteConfiguration]>([
    [{ IndexDocument }],
    [{ RedirectAllRequestsTo: { HostName: 'x.example', Protocol: 'https' } }],
    [{ IndexDocument, ErrorDocument: { Key: 'e' }, RoutingRules: [{ Condition: { HttpErrorCodeReturnedEquals: '404' }, Redirect: { HttpRedirectCode: '302', ReplaceKeyWith: 'x' } }] }],
  ])('may be %j', website => {
    expect(() => refuseInvalidWebsite(website)).not.toThrow()
  })

  test.each<[WebsiteConfiguration, string]>([
    [{}, 'InvalidArgument'],
    [{ IndexDocument: { Suffix: '' } }, 'InvalidArgument'],
    [{ IndexDocument: { Suffix: 'a/b' } }, 'InvalidArgument'],
    [{ RedirectAllRequestsTo: { HostName: 'x' }, IndexDocument }, 'InvalidArgument'],
    [{ RedirectAllRequestsTo: { HostName: '' } }, 'MalformedXML'],
    [{ RedirectAllRequestsTo: { HostName: 'x', Protocol: 'ftp' as 'http' } }, 'InvalidRequest'],
    [{ IndexDocument, ErrorDocument: { Key: '' } }, 'MalformedXML'],
    [{ IndexDocument, RoutingRules: [{ Redirect: undefined }] }, 'MalformedXML'],
    [{ IndexDocument, RoutingRules: [{ Redirect: { ReplaceKeyWith: 'a', ReplaceKeyPrefixWith: 'b' } }] }, 'InvalidRequest'],
    [{ IndexDocument, RoutingRules: [{ Redirect: { HttpRedirectCode: '200' } }] }, 'InvalidRequest'],
    [{ IndexDocument, RoutingRules: [{ Condition: { HttpErrorCodeReturnedEquals: '302' }, Redirect: {} }] }, 'InvalidRequest'],
    [{ IndexDocument, RoutingRules: Array.from({ length: 51 }, () => ({ Redirect: {} })) }, 'InvalidRequest'],
  ])('cannot be %j: %s', (website, expected) => {
    expect(() => refuseInvalidWebsite(website)).toThrow(code(expected))
  })
})

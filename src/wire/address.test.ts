import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from './address.ts'
import { S3Error } from './errors.ts'

const domains = ['s3.example', 'eu.s3.example']
const parse = (path: string, host = 'localhost:9000') => parseAddress({ host, path, domains })

describe('parseAddress', () => {
  it.each([
    ['/', { kind: 'service' }],
    ['/lake', { kind: 'bucket', bucket: 'lake', style: 'path' }],
    ['/lake/', { kind: 'bucket', bucket: 'lake', style: 'path' }],
    ['/lake//', { kind: 'object', bucket: 'lake', key: '/', style: 'path' }],
    ['/lake/a//b/', { kind: 'object', bucket: 'lake', key: 'a//b/', style: 'path' }],
    ['/lake/../x/./y', { kind: 'object', bucket: 'lake', key: '../x/./y', style: 'path' }],
    ['/lake/a%2Fb%252F+c%20d', { kind: 'object', bucket: 'lake', key: 'a/b%2F+c d', style: 'path' }],
    ['/lake/%F0%9F%98%80', { kind: 'object', bucket: 'lake', key: '\u{1f600}', style: 'path' }],
    ['http://localhost:9000/lake/a', { kind: 'object', bucket: 'lake', key: 'a', style: 'path' }],
  ])('%s in path style', (path, address) => {
    expect(parse(path)).toEqual(address)
  })

  it.each([
    ['lake.s3.example', { kind: 'object', bucket: 'lake', key: 'lake/a', style: 'virtualHost' }],
    ['LAKE.S3.example:9000', { kind: 'object', bucket: 'lake', key: 'lake/a', style: 'virtualHost' }],
    ['a.b.s3.example', { kind: 'object', bucket: 'a.b', key: 'lake/a', style: 'virtualHost' }],
    ['lake.eu.s3.example', { kind: 'object', bucket: 'lake', key: 'lake/a', style: 'virtualHost' }],
    ['eu.s3.example', { kind: 'object', bucket: 'lake', key: 'a', style: 'path' }],
    ['s3.example:9000', { kind: 'object', bucket: 'lake', key: 'a', style: 'path' }],
    ['[::1]:9000', { kind: 'object', bucket: 'lake', key: 'a', style: 'path' }],
    ['other.example', { kind: 'object', bucket: 'lake', key: 'a', style: 'path' }],
  ])('host %s', (host, address) => {
    expect(parse('/lake/a', host)).toEqual(address)
  })

  it('is the bucket itself at the root of a bucket host', () => {
    expect(parse('/', 'lake.s3.example')).toEqual({ kind: 'bucket', bucket: 'lake', style: 'virtualHost' })
  })

  it.each(['/lake/%', '/lake/%zz', '/lake/%ff', '/lake/%C0%AF', '/%ff/a', 'lake', '*', ''])('refuses %s', (path) => {
    expect(() => parse(path)).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
  })

  it('counts a key in UTF-8 bytes', () => {
    expect(parse(`/lake/${'a'.repeat(1024)}`)).toMatchObject({ kind: 'object' })
    expect(parse(`/lake/${encodeURIComponent('ü'.repeat(512))}`)).toMatchObject({ kind: 'object' })
    for (const key of ['a'.repeat(1025), encodeURIComponent('ü'.repeat(513)), encodeURIComponent('€'.repeat(342))]) {
      expect(() => parse(`/lake/${key}`)).toThrow(expect.objectContaining({ code: 'KeyTooLongError' }))
    }
  })

  it('gives back any key that a client escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), (key) => {
        const raw = key.split('/').map(encodeURIComponent).join('/')
        expect(parse(`/lake/${raw}`)).toEqual({ kind: 'object', bucket: 'lake', key, style: 'path' })
      }),
    )
  })

  it('throws nothing but its own errors', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (path, host) => {
        try {
          parseAddress({ path: `/${path}`, host, domains })
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error)
        }
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { S3Error } from '../wire/errors.ts'
import { admitForm, parsePostPolicy } from './post-policy.ts'

const nowMs = Date.UTC(2026, 0, 1)
const expiration = '2026-01-01T00:10:00.000Z'
const encoded = (document: unknown): string => Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString('base64')
const admit = (conditions: unknown[], fields: Record<string, string>, atMs = nowMs) =>
  admitForm(parsePostPolicy(encoded({ expiration, conditions })), new Map(Object.entries(fields)), atMs)
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('a form', () => {
  test.each([
    ['exact match', [{ key: 'a' }], { key: 'a' }],
    ['exact match as a list', [['eq', '$key', 'a']], { key: 'a' }],
    ['operators and names in any case', [['EQ', '$Key', 'a'], { ACL: 'private' }], { key: 'a', acl: 'private' }],
    ['starts-with', [['starts-with', '$key', 'user/']], { key: 'user/x' }],
    ['starts-with nothing: any value', [['starts-with', '$key', '']], { key: 'whatever' }],
    ['a list of content types', [['starts-with', '$Content-Type', 'image/']], { 'content-type': 'image/png, image/jpeg' }],
    ['fields that need no condition', [], { policy: 'p', 'x-amz-signature': 's', 'x-ignore-this': '1', file: 'f' }],
    ['two conditions in one object', [{ key: 'a', bucket: 'b' }], { key: 'a', bucket: 'b' }],
  ])('passes by %s', (_, conditions, fields) => {
    expect(admit(conditions, fields)).toEqual({ minimumBytes: 0, maximumBytes: Number.MAX_SAFE_INTEGER })
  })

  test.each([
    ['another value', [{ key: 'a' }], { key: 'b' }],
    ['another case of the value', [{ key: 'a' }], { key: 'A' }],
    ['another beginning', [['starts-with', '$key', 'user/']], { key: 'admin/x' }],
    ['one content type of several', [['starts-with', '$Content-Type', 'image/']], { 'content-type': 'image/png,text/html' }],
    ['a field that is not there', [{ key: 'a' }, { acl: 'private' }], { key: 'a' }],
    ['a field without a condition', [{ key: 'a' }], { key: 'a', acl: 'private' }],
    ['one of two conditions on a field', [['starts-with', '$key', 'a'], ['eq', '$key', 'ab']], { key: 'ac' }],
  ])('is refused for %s', (_, conditions, fields) => {
    expect(() => admit(conditions, fields)).toThrow(code('AccessDenied'))
  })

  test('is refused from the moment its policy expires', () => {
    expect(() => admit([], {}, Date.parse(expiration) - 1)).not.toThrow()
    expect(() => admit([], {}, Date.parse(expiration))).toThrow(code('AccessDenied'))
  })

  test('is held to the narrowest of its length ranges', () => {
    expect(admit([['content-length-range', 1, 100], ['content-length-range', '10', '200']], {})).toEqual({ minimumBytes: 10, maximumBytes: 100 })
  })
})

test.each([
  ['what is no Base64 of JSON', '%%%'],
  ['JSON that is no object', encoded('[]')],
  ['null', encoded('null')],
  ['no expiration', encoded({ conditions: [] })],
  ['an expiration that is no date', encoded({ expiration: 'tomorrow', conditions: [] })],
  ['no conditions', encoded({ expiration })],
  ['conditions that are no list', encoded({ expiration, conditions: { key: 'a' } })],
  ['members that a policy does not have', encoded({ expiration, conditions: [], statement: [] })],
  ['a condition that is a string', encoded({ expiration, conditions: ['eq'] })],
  ['a value that is no string', encoded({ expiration, conditions: [{ key: 1 }] })],
  ['an unknown operator', encoded({ expiration, conditions: [['ends-with', '$key', 'a']] })],
  ['a field without its dollar sign', encoded({ expiration, conditions: [['eq', 'key', 'a']] })],
  ['too many members of a condition', encoded({ expiration, conditions: [['eq', '$key', 'a', 'b']] })],
  ['a range of no numbers', encoded({ expiration, conditions: [['content-length-range', 'few', 'many']] })],
  ['a negative range', encoded({ expiration, conditions: [['content-length-range', -1, 5]] })],
])('a policy with %s is InvalidPolicyDocument', (_, policy) => {
  expect(() => parsePostPolicy(policy)).toThrow(code('InvalidPolicyDocument'))
})

test('any policy is read or refused, and never fails otherwise', () => {
  const piece = fc.oneof(fc.string(), fc.integer(), fc.constantFrom('eq', 'starts-with', 'content-length-range', '$key', null, true))
  const condition = fc.oneof(fc.array(piece, { maxLength: 4 }), fc.dictionary(fc.string(), piece, { maxKeys: 2 }), piece)
  const policy = fc.record({ expiration: fc.oneof(fc.constant(expiration), piece), conditions: fc.oneof(fc.array(condition, { maxLength: 4 }), piece) }, { requiredKeys: [] })
  fc.assert(
    fc.property(fc.oneof(policy.map(encoded), fc.string(), fc.json().map(encoded)), fc.dictionary(fc.constantFrom('key', 'acl', 'bucket'), fc.string()), (text, fields) => {
      try {
        admitForm(parsePostPolicy(text), new Map(Object.entries(fields)), nowMs)
        return true
      } catch (error) {
        return error instanceof S3Error && ['InvalidPolicyDocument', 'AccessDenied'].includes(error.code)
      }
    }),
    { numRuns: 1000 },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { S3Error } from '../wire/errors.ts'
import { bucketTagLimit, objectTagLimit, parseTagging, tagSetOf, tagsOf } from './tags.ts'

test('a tagging header is decoded as query parameters', () => {
  expect(parseTagging('a=1&b=two+words&c=%2Fslash&d=')).toEqual({ a: '1', b: 'two words', c: '/slash', d: '' })
  expect(parseTagging(undefined)).toEqual({})
})

test.each([
  ['a=1&a=2', 'InvalidTag'],
  ['a=b=c', 'InvalidArgument'],
  ['%zz=1', 'InvalidArgument'],
  [`${'k'.repeat(129)}=1`, 'InvalidTag'],
  [`k=${'v'.repeat(257)}`, 'InvalidTag'],
  ['aws:own=1', 'InvalidTag'],
  [Array.from({ length: 11 }, (_, at) => `k${at}=1`).join('&'), 'BadRequest'],
])('%s is refused as %s', (header, code) => {
  expect(() => parseTagging(header)).toThrow(expect.objectContaining({ code }))
})

test('buckets take 50 tags, objects 10', () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `k${at}`, Value: '' }))
  expect(() => tagsOf(many(50), bucketTagLimit)).not.toThrow()
  expect(() => tagsOf(many(51), bucketTagLimit)).toThrow(expect.objectContaining({ code: 'BadRequest' }))
  expect(() => tagsOf(many(11), objectTagLimit)).toThrow(expect.objectContaining({ code: 'BadRequest' }))
})

test('a tag may have the name of an inherited property', () => {
  expect(tagSetOf(tagsOf([{ Key: '__proto__', Value: 'x' }, { Key: 'constructor', Value: 'y' }], objectTagLimit))).toEqual([
    { Key: '__proto__', Value: 'x' },
    { Key: 'constructor', Value: 'y' },
  ])
})

test('any tags are read back as they were written, and any other text is read or refused', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'Z', 'ä', ' ', '+', '-', '=', '.', '_', ':', '/', '@', '1'), minLength: 1, maxLength: 20 })
  fc.assert(fc.property(fc.dictionary(word, word, { maxKeys: 10, noNullPrototype: true }), tags => {
    const header = Object.entries(tags).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&')
    expect(parseTagging(header)).toEqual(tags)
  }))
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('&', '=', '%', 'a', '+', '__proto__', '%00') })), text => {
    try {
      return Object.keys(parseTagging(text)).length <= objectTagLimit
    } catch (error) {
      return error instanceof S3Error && ['InvalidTag', 'InvalidArgument', 'BadRequest'].includes(error.code)
    }
  }))
})

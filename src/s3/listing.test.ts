import fc from 'fast-check'
import { expect, test } from 'vitest'
import { S3Error } from '../wire/errors.ts'
import { afterToken, encoderOf, limitOf, tokenAfter } from './listing.ts'

test('a token leads back to the entry it was made of, whatever its characters', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), entry => afterToken(tokenAfter(entry)) === entry.toWellFormed()))
})

test('what is no token of ours is refused', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        return tokenAfter(afterToken(text)) === text
      } catch (error) {
        return error instanceof S3Error && error.code === 'InvalidArgument'
      }
    }),
  )
})

test('url encoding is a form encoding that keeps slashes, and decodes to the same', () => {
  const encode = encoderOf('url')
  expect(encode("a b/c+d*e'f(g)!ä")).toBe('a+b/c%2Bd*e%27f%28g%29%21%C3%A4')
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), text => decodeURIComponent(encode(text.toWellFormed()).replaceAll('+', ' ')) === text.toWellFormed()))
  expect(encoderOf(undefined)('a b')).toBe('a b')
  expect(() => encoderOf('base64')).toThrow(expect.objectContaining({ code: 'InvalidArgument' }))
})

test('page sizes are cut to 1,000 and never negative', () => {
  expect([limitOf('max-keys', undefined), limitOf('max-keys', 0), limitOf('max-keys', 5000)]).toEqual([1000, 0, 1000])
  expect(() => limitOf('max-keys', -1)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }))
})

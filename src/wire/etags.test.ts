import fc from 'fast-check'
import { expect, it } from 'vitest'
import { S3Error } from './errors.ts'
import { parseEtags } from './etags.ts'

it.each([
  ['*', ['*']],
  ['"a"', ['a']],
  ['a', ['a']],
  ['"a", "b-2",c', ['a', 'b-2', 'c']],
  [' W/"a" ,"b"', ['a', 'b']],
  ['"with, comma"', ['with, comma']],
])('%s', (header, etags) => {
  expect(parseEtags(header)).toEqual(etags)
})

it.each(['', ' ', '"a', '"a" "b"', ',', '"a",,"b"', 'a b', '"a",'.repeat(101)])('refuses %j', (header) => {
  expect(() => parseEtags(header)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }))
})

it('throws nothing but its own errors', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ',', ' ', 'W/', 'a', '*') }), (header) => {
      try {
        parseEtags(header)
      } catch (error) {
        expect(error).toBeInstanceOf(S3Error)
      }
    }),
  )
})

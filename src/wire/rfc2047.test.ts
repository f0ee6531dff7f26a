import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeaderText, encodeHeaderText } from './rfc2047.ts'

describe('decodeHeaderText', () => {
  it.each([
    ['plain', 'plain'],
    ['=?UTF-8?B?w7xiZXI=?=', 'über'],
    ['=?utf-8?q?=C3=BCber_alles?=', 'über alles'],
    ['=?ISO-8859-1?Q?=FCber?=', 'über'],
    ['=?UTF-8?B?w7w=?= =?UTF-8?B?YmVy?=', 'über'],
    ['a =?UTF-8?B?w7w=?= b', 'a ü b'],
    // Words in a charset or bytes that cannot be read stay as they are.
    ['=?KOI8-R?B?w7w=?=', '=?KOI8-R?B?w7w=?='],
    ['=?UTF-8?B?/w==?=', '=?UTF-8?B?/w==?='],
    // UTF-8 as bytes, and bytes that are not UTF-8.
    [Buffer.from('über').toString('latin1'), 'über'],
    ['\u00fcber', 'über'],
  ])('%s', (header, text) => {
    expect(decodeHeaderText(header)).toBe(text)
  })
})

it('encodeHeaderText writes printable ASCII in words of at most 75 characters, and is undone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      const header = encodeHeaderText(text)
      expect(header).toMatch(/^[ -~]*$/)
      if (header !== text) for (const word of header.split(' ')) expect(word.length).toBeLessThanOrEqual(75)
      expect(decodeHeaderText(header)).toBe(text)
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalEncodeComponent, canonicalEncodePath, decodeComponent, encodePathAgain } from './uri-encoding.ts'

const encoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const text = fc.string({ unit: 'grapheme' }).filter((candidate) => candidate.isWellFormed())

describe('canonical encoding', () => {
  it.each([
    ['/a/b', '/a/b', '%2Fa%2Fb'],
    ['a%2fb', 'a/b', 'a%2Fb'],
    ['a+b', 'a%2Bb', 'a%20b'],
    ['%7e%41', '~A', '~A'],
    ['100%', '100%25', '100%25'],
    ['%zz%4', '%25zz%254', '%25zz%254'],
    ["!'()*", '%21%27%28%29%2A', '%21%27%28%29%2A'],
    ['\xe9', '%E9', '%E9'],
  ])('%s', (raw, asPath, asComponent) => {
    expect(canonicalEncodePath(raw)).toBe(asPath)
    expect(canonicalEncodeComponent(raw)).toBe(asComponent)
  })

  it('leaves what is canonical as it is, and decodes to the same text', () => {
    fc.assert(
      fc.property(text, (any) => {
        expect(canonicalEncodeComponent(encoded(any))).toBe(encoded(any))
        expect(decodeComponent(encoded(any))).toBe(any)
        expect(decodeComponent(encoded(any).replaceAll('%20', '+'))).toBe(any)
        expect(decodeComponent(encodePathAgain(encoded(any)))).toBe(encoded(any))
      }),
    )
  })
})

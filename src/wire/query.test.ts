import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeListingName } from './percent.ts'
import { parseQuery } from './query.ts'

describe('parseQuery', () => {
  it('keeps repeated and valueless names, and reads + as a space', () => {
    expect([...parseQuery('uploads&prefix=a+b%2Bc&x=1&x=2&&y=')]).toEqual([
      ['uploads', ['']],
      ['prefix', ['a b+c']],
      ['x', ['1', '2']],
      ['y', ['']],
    ])
  })

  it('refuses broken escapes and floods', () => {
    for (const raw of ['a=%', 'a=%ff', '%zz', 'a&'.repeat(2000)]) {
      expect(() => parseQuery(raw)).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
    }
  })

  it('reads what URLSearchParams writes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }))), (entries) => {
        const raw = new URLSearchParams(entries).toString()
        expect([...parseQuery(raw)].flatMap(([name, values]) => values.map((value) => [name, value])).toSorted()).toEqual(entries.toSorted())
      }),
    )
  })
})

describe('encodeListingName', () => {
  it('spells names as AWS does', () => {
    expect(encodeListingName("a/b c(1)'!~*-_.+%ü")).toBe('a/b+c%281%29%27%21%7E*-_.%2B%25%C3%BC')
  })

  it('is undone by a query parser', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => parseQuery(`n=${encodeListingName(name)}`).get('n')?.[0] === name))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { httpDate, isoDate, parseHttpDate } from './http-date.ts'

const ms = Date.UTC(1994, 10, 6, 8, 49, 37)

describe('parseHttpDate', () => {
  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    '1994-11-06T08:49:37Z',
    '1994-11-06T08:49:37.000Z',
    '1994-11-06T09:49:37+01:00',
    '1994-11-06T09:49:37+0100',
  ])('%s', (text) => {
    expect(parseHttpDate(text)).toBe(ms)
  })

  it.each(['', 'yesterday', '0', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT', '1994-02-30T00:00:00Z'])(
    '%j is none',
    (text) => {
      expect(parseHttpDate(text)).toBeUndefined()
    },
  )

  it('reads what httpDate writes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => parseHttpDate(httpDate(seconds * 1000)) === seconds * 1000))
  })
})

it('isoDate is toISOString', () => {
  fc.assert(fc.property(fc.integer({ min: -1e12, max: 8e12 }), (time) => isoDate(time) === new Date(time).toISOString()))
})

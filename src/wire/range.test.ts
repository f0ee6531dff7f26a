import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRange } from './range.ts'

describe('parseRange of 10 bytes', () => {
  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=0-', 0, 10],
    ['bytes=3-5', 3, 3],
    ['bytes=9-100', 9, 1],
    ['bytes=-3', 7, 3],
    ['bytes=-100', 0, 10],
    [' Bytes=1-2 ', 1, 2],
  ])('%s', (header, offset, length) => {
    expect(parseRange(header, 10)).toEqual({ kind: 'range', offset, length })
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])('%s is unsatisfiable', (header) => {
    expect(parseRange(header, 10)).toEqual({ kind: 'unsatisfiable' })
  })

  it.each(['', 'bytes', 'bytes=', 'bytes=-', 'bytes=5-3', 'bytes=a-b', 'bytes=1-2,4-5', 'items=0-1', 'bytes=1--2', 'bytes=+1-2', 'bytes = 1 - 2'])('%s is ignored', (header) => {
    expect(parseRange(header, 10)).toEqual({ kind: 'whole' })
  })

  it('of nothing is unsatisfiable', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' })
    expect(parseRange('bytes=-1', 0)).toEqual({ kind: 'unsatisfiable' })
  })
})

it('a range lies within the object and is what a slice of the bytes is', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.option(fc.nat(60)), fc.option(fc.nat(60)), (size, first, last) => {
      const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size)
      if (range.kind !== 'range') return
      expect(range.length).toBeGreaterThan(0)
      const bytes = Array.from({ length: size }, (_, i) => i)
      const expected = first === null ? bytes.slice(-(last ?? 0)) : bytes.slice(first, last === null ? size : last + 1)
      expect(bytes.slice(range.offset, range.offset + range.length)).toEqual(expected)
    }),
  )
})

it('takes any text in bounded time', () => {
  fc.assert(fc.property(fc.string(), fc.nat(), (header, size) => void parseRange(header, size)))
  const start = performance.now()
  for (const run of [' ', '1', '-', 'bytes=']) expect(parseRange(`bytes=${run.repeat(100_000)}`, 10)).toEqual({ kind: 'whole' })
  expect(performance.now() - start).toBeLessThan(1000)
})

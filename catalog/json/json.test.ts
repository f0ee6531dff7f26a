import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addInt64, int64Of, type Json } from './json.ts'
import { JsonSyntaxError, maxJsonDepth, parseJson, parseJsonBytes } from './parse.ts'
import { stringifyJson } from './stringify.ts'

const anInteger = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(int64Of)
const aScalar = fc.oneof(anInteger, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null))
const aValue = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, aScalar, fc.array(tie('value')), fc.dictionary(fc.string(), tie('value'))),
})).value

describe('JSON with exact integers', () => {
  test('round-trips every value', () => {
    fc.assert(fc.property(aValue, (value) => {
      expect(parseJson(stringifyJson(value))).toEqual(value)
    }))
  })

  test('agrees with JSON.parse where that is exact', () => {
    fc.assert(fc.property(fc.json(), (text) => {
      const ours = parseJson(text)
      if (!/\d{16}/.test(text)) expect(ours).toEqual(JSON.parse(text))
    }))
  })

  test('short texts are read as those with long numbers are', () => {
    const aNumber = fc.constantFrom('1e99', '1E+120', '-0', '0.1234567890123', '1234567.123456789012345', '999999999999999', '"e999"', '"\\u0000"', '{"__proto__":1}')
    fc.assert(fc.property(fc.oneof(aNumber, fc.json()), (text) => {
      // A number of more than 15 digits takes the other parser for the whole text.
      expect(parseJson(`[${text},1234567890123456]`)).toEqual([parseJson(text), 1234567890123456])
    }))
  })

  test('refuses exactly what JSON.parse refuses', () => {
    const aText = fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', '0', '.5', 'e3', 'true', 'nul', ' ', '\\', '\n', 'null'), { maxLength: 12 })
    fc.assert(fc.property(aText.map((pieces) => pieces.join('')), (text) => {
      const accepts = (parse: (text: string) => unknown): boolean => {
        try {
          parse(text)
          return true
        } catch {
          return false
        }
      }
      expect([text, accepts(parseJson)]).toEqual([text, accepts(JSON.parse)])
    }), { numRuns: 2000 })
  })

  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['1.5e3', 1500],
    ['1E2', 100],
    ['-0', -0],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toBe(value)
  })

  test.each(['1e999', '-1e999', '9'.repeat(400), `-${'9'.repeat(1_000_000)}`])('a number that nothing can hold is refused: %.10s…', (text) => {
    expect(() => parseJson(text)).toThrow(JsonSyntaxError)
  })

  test('members named __proto__ and constructor are members', () => {
    const value = parseJson('{"__proto__":{"polluted":1},"constructor":2}') as Record<string, Json>
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(stringifyJson(value)).toBe('{"__proto__":{"polluted":1},"constructor":2}')
  })

  test('bounds depth and refuses broken UTF-8', () => {
    expect(() => parseJson('['.repeat(maxJsonDepth) + ']'.repeat(maxJsonDepth))).not.toThrow()
    expect(() => parseJson('['.repeat(maxJsonDepth + 1) + ']'.repeat(maxJsonDepth + 1))).toThrow(JsonSyntaxError)
    expect(() => parseJsonBytes(Buffer.from([0x22, 0xff, 0x22]))).toThrow(JsonSyntaxError)
  })

  test('adds beyond 2^53', () => {
    expect(addInt64(Number.MAX_SAFE_INTEGER, 2)).toBe(9007199254740993n)
    expect(addInt64(9007199254740993n, -2)).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('what is detached', () => {
  // In a context of its own: the flag makes the function there.
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const usedBytes = (): number => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  test.each([[true, 0, 10], [false, 40, 80]])('keeps no text alive of which little is kept: %s', (isDetached, leastMB, mostMB) => {
    const before = usedBytes()
    const kept = Array.from({ length: 20 }, (_, index) => {
      const body = Buffer.from(JSON.stringify({ name: `a name that is long enough ${index}`, filler: 'x'.repeat(2_000_000) }))
      return (parseJsonBytes(body, { isDetached }) as { readonly name: string }).name
    })
    const grownMB = (usedBytes() - before) / 1e6
    expect(kept[7]).toBe('a name that is long enough 7')
    expect(grownMB).toBeGreaterThan(leastMB - 10)
    expect(grownMB).toBeLessThan(mostMB)
  })
})

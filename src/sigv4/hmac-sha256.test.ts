import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hmacSha256 } from './hmac-sha256.ts'

it('is what createHmac makes, of texts of any length, one after the other', () => {
  const key = fc.uint8Array({ minLength: 0, maxLength: 64 })
  const text = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 }), fc.constant('€'.repeat(1000)))
  fc.assert(fc.property(key, fc.array(text, { minLength: 1, maxLength: 5 }), (bytes, texts) => {
    const sign = hmacSha256(bytes)
    for (const each of texts) expect(sign(each)).toBe(createHmac('sha256', bytes).update(each).digest('hex'))
  }), { numRuns: 50 })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { corsHeaders, refuseInvalidCors } from './cors.ts'

const rule = { AllowedMethods: ['GET', 'PUT'], AllowedOrigins: ['https://*.example.com'], AllowedHeaders: ['x-amz-*'], ExposeHeaders: ['ETag'], MaxAgeSeconds: 60 }

test('the first rule that allows a request answers it', () => {
  expect(corsHeaders([rule], { origin: 'https://app.example.com', method: 'PUT', headers: ['X-Amz-Date'] })).toEqual({
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'x-amz-date',
    'access-control-expose-headers': 'ETag',
    'access-control-max-age': '60',
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  })
  expect(corsHeaders([{ ...rule, AllowedOrigins: ['*'] }], { origin: 'https://x', method: 'GET', headers: [] })).toMatchObject({ 'access-control-allow-origin': '*' })
})

test.each([
  { origin: 'https://example.com', method: 'GET', headers: [] },
  { origin: 'https://app.example.com', method: 'DELETE', headers: [] },
  { origin: 'https://app.example.com', method: 'GET', headers: ['authorization'] },
  { origin: 'https://.example.co', method: 'GET', headers: [] },
])('nothing allows $origin $method $headers', request => {
  expect(corsHeaders([rule], request)).toBeUndefined()
})

test.each([
  [[], 'MalformedXML'],
  [[{ AllowedMethods: ['GET'], AllowedOrigins: [] }], 'MalformedXML'],
  [[{ AllowedMethods: ['PATCH'], AllowedOrigins: ['*'] }], 'InvalidRequest'],
  [[{ AllowedMethods: ['GET'], AllowedOrigins: ['*.*'] }], 'InvalidRequest'],
  [[{ ...rule, ExposeHeaders: ['x-*'] }], 'InvalidRequest'],
  [Array.from({ length: 101 }, () => rule), 'MalformedXML'],
])('%j is refused as %s', (rules, code) => {
  expect(() => refuseInvalidCors(rules)).toThrow(expect.objectContaining({ code }))
})

test('an origin is allowed by a pattern exactly when a regular expression of it says so', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '+'), maxLength: 6 })
  fc.assert(fc.property(text, text, fc.boolean(), text, (before, after, starred, origin) => {
    const pattern = starred ? `${before}*${after}` : before + after
    const escaped = pattern.replaceAll(/[.()+]/g, character => `\\${character}`).replace('*', '.*')
    const allowed = corsHeaders([{ AllowedMethods: ['GET'], AllowedOrigins: [pattern] }], { origin, method: 'GET', headers: [] }) !== undefined
    expect(allowed).toBe(new RegExp(`^${escaped}$`).test(origin))
  }))
})

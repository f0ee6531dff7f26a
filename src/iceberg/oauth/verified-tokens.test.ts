import { expect, test } from 'vitest'
import { issueAccessToken } from './access-token.ts'
import { VerifiedTokens } from './verified-tokens.ts'

const serverKey = Buffer.alloc(32, 7)
const secret = (secretAccessKey: string) => ({ serverKey, secretAccessKey })
const tokenOf = (accessKeyId: string, secretAccessKey: string): string => issueAccessToken({ accessKeyId, scope: 'catalog', expiresAtMs: 2_000_000 }, secret(secretAccessKey), 1_000_000)

test('a token is remembered once it was right, and only for the secret that it was right for', () => {
  const tokens = new VerifiedTokens()
  const text = tokenOf('ADA', 'first')
  expect([tokens.parse(text)?.verify(secret('other')), tokens.has(text)]).toEqual([false, false])
  expect([tokens.parse(text)?.verify(secret('first')), tokens.has(text)]).toEqual([true, true])
  expect(tokens.parse(text)).toMatchObject({ claims: { accessKeyId: 'ADA', expiresAtMs: 2_000_000 } })
  expect(tokens.parse(text)?.verify(secret('first'))).toBe(true)
  // The key's secret has changed: the token ends with the old one.
  expect([tokens.parse(text)?.verify(secret('second')), tokens.has(text)]).toEqual([false, false])
  const forged = `${text.slice(0, -2)}${text.endsWith('AA') ? 'BB' : 'AA'}`
  expect([tokens.parse(forged)?.verify(secret('first')), tokens.parse('nonsense')]).toEqual([false, undefined])
})

test('so many are remembered', () => {
  const tokens = new VerifiedTokens()
  const texts = Array.from({ length: 1_002 }, (_, index) => tokenOf(`KEY${index}`, 's'))
  for (const text of texts) tokens.parse(text)?.verify(secret('s'))
  expect(texts.filter((text) => tokens.has(text)).length).toBe(1_000)
})

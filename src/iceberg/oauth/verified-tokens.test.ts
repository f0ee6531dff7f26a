import { afterAll, beforeAll, expect, test } from 'vitest'
import { openScratchEngine, type ScratchEngine } from '../../identity/scratch-engine.ts'
import { openTokenKeys, type TokenKeys } from '../../identity/token-keys.ts'
import { issueAccessToken } from './access-token.ts'
import { VerifiedTokens } from './verified-tokens.ts'

let world: ScratchEngine
let keys: TokenKeys
const secret = (secretAccessKey: string) => ({ keys, secretAccessKey })
const tokenOf = (accessKeyId: string, secretAccessKey: string): Promise<string> =>
  issueAccessToken({ accessKeyId, scope: 'catalog', expiresAtMs: 2_000_000 }, secret(secretAccessKey), { nowMs: 1_000_000, issuer: 'https://lake/iceberg', arn: 'arn' })

beforeAll(async () => {
  world = await openScratchEngine()
  keys = openTokenKeys({ ...world, serverKey: Buffer.alloc(32, 7) })
})
afterAll(() => world.remove())

test('a token is remembered once it was right, and only for the secret that it was right for', async () => {
  const tokens = new VerifiedTokens()
  const text = await tokenOf('ADA', 'first')
  expect([await tokens.parse(text)?.verify(secret('other')), tokens.has(text)]).toEqual([false, false])
  expect([await tokens.parse(text)?.verify(secret('first')), tokens.has(text)]).toEqual([true, true])
  expect(tokens.parse(text)).toMatchObject({ claims: { accessKeyId: 'ADA', expiresAtMs: 2_000_000 } })
  expect(await tokens.parse(text)?.verify(secret('first'))).toBe(true)
  // The key's secret has changed: the token ends with the old one.
  expect([await tokens.parse(text)?.verify(secret('second')), tokens.has(text)]).toEqual([false, false])
  const forged = `${text.slice(0, -6)}${text.at(-6) === 'A' ? 'B' : 'A'}${text.slice(-5)}`
  expect([await tokens.parse(forged)?.verify(secret('first')), tokens.parse('nonsense')]).toEqual([false, undefined])
})

test('so many are remembered', async () => {
  const tokens = new VerifiedTokens()
  const texts = await Promise.all(Array.from({ length: 1_002 }, (_, index) => tokenOf(`KEY${index}`, 's')))
  for (const text of texts) await tokens.parse(text)?.verify(secret('s'))
  expect(texts.filter((text) => tokens.has(text)).length).toBe(1_000)
})

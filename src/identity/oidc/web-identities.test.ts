import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { hourMs, minuteMs } from '../../../base/units.ts'
import { WebIdentityError, type Issuer } from './issuer.ts'
import { policyNamesOf } from './federated-basis.ts'
import { createWebIdentities, type WebIdentities } from './web-identities.ts'

interface Key {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

let server: Server
let origin = ''
let documents: Record<string, unknown> = {}
let asked: string[] = []
let first: Key
let second: Key
const clock = new SimulatedClock()

async function newKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } }
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const document = documents[path]
    if (typeof document === 'string') response.writeHead(302, { location: document }).end()
    else response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  first = await newKey('first')
  second = await newKey('second')
})
afterAll(() => new Promise(resolve => server.close(resolve)))
afterEach(() => {
  asked = []
})

function identities(issuer: Partial<Issuer> = {}): WebIdentities {
  documents = { '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/jwks` }, '/jwks': { keys: [first.jwk] } }
  return createWebIdentities({ issuers: [{ name: 'test', issuer: origin, clientIds: ['lake'], policyClaim: 'policy', claimPrefix: '', ...issuer }], clock, fetch })
}

interface TokenParts {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey | Uint8Array
}

function token({ claims = {}, header = {}, key = first.privateKey }: TokenParts = {}): Promise<string> {
  const now = Math.floor(clock.nowMs() / 1000)
  return new SignJWT({ iss: origin, sub: 'ada', aud: 'lake', exp: now + 600, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'first', ...header }).sign(key)
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (error instanceof WebIdentityError) return error.code
    throw error
  }
  return 'none'
}

describe('web identities', () => {
  it('are verified by the provider’s keys, found by discovery, asked for once', async () => {
    const web = identities()
    expect(await web.verify(await token({ claims: { policy: 'readonly, tables', groups: ['a', 'b'] } }))).toMatchObject({ subject: 'ada', audience: 'lake' })
    await Promise.all([1, 2, 3].map(async () => web.verify(await token())))
    expect(asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  it('give the policies of their claim, whatever its form, or of their provider', async () => {
    const names = async (policy: unknown, issuer: Partial<Issuer> = {}) => policyNamesOf(await identities(issuer).verify(await token({ claims: { policy, 'x/policy': 'prefixed' } })))
    expect(await names('a, b')).toEqual(['a', 'b'])
    expect(await names(['a', 'b', 7, '../c', ''])).toEqual(['a', 'b'])
    expect(await names({ a: 1 })).toEqual([])
    expect(await names('a', { claimPrefix: 'x/' })).toEqual(['prefixed'])
    expect(await names('a', { rolePolicies: ['fixed'] })).toEqual(['fixed'])
  })

  it('are believed by a rotated key at once, while made-up keys cause no more than a request a minute', async () => {
    const web = identities()
    await web.verify(await token())
    documents['/jwks'] = { keys: [second.jwk] }
    const rotated = await token({ header: { kid: 'second' }, key: second.privateKey })
    expect(await web.verify(rotated)).toMatchObject({ subject: 'ada' })
    asked = []
    for (let round = 0; round < 20; round++) expect(await codeOf(web.verify(await token({ header: { kid: `made-up-${round}` } })))).toBe('Malformed')
    expect(asked).toEqual([])
    clock.advance(minuteMs)
    for (let round = 0; round < 20; round++) expect(await codeOf(web.verify(await token({ header: { kid: `made-up-${round}` } })))).toBe('Malformed')
    expect(asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
    expect(await codeOf(web.verify(await token()))).toBe('Malformed')
    clock.advance(hourMs)
    expect(await codeOf(web.verify(rotated))).toBe('Expired')
  })
})

describe('hostile tokens', () => {
  it('without a signature, or signed by the public key as a secret, are refused', async () => {
    const web = identities()
    const claims = { iss: origin, sub: 'ada', aud: 'lake', exp: Math.floor(clock.nowMs() / 1000) + 600 }
    expect(await codeOf(web.verify(new UnsecuredJWT(claims).encode()))).toBe('Malformed')
    const [, body] = (await token()).split('.')
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) expect(await codeOf(web.verify(`${base64url.encode(JSON.stringify({ alg }))}.${body}.`))).toBe('Malformed')
    const secret = new TextEncoder().encode(await exportSPKI(first.publicKey))
    expect(await codeOf(web.verify(await token({ header: { alg: 'HS256' }, key: secret })))).toBe('Malformed')
    expect(await codeOf(web.verify(await token({ header: { alg: 'HS256' }, key: new TextEncoder().encode(JSON.stringify(first.jwk)) })))).toBe('Malformed')
  })

  it('of a provider whose key set holds a symmetric key are refused', async () => {
    const web = identities()
    const secret = new Uint8Array(32).fill(7)
    documents['/jwks'] = { keys: [{ kty: 'oct', kid: 'shared', k: base64url.encode(secret) }] }
    expect(await codeOf(web.verify(await token({ header: { alg: 'HS256', kid: 'shared' }, key: secret })))).toBe('Malformed')
  })

  it('that bring or point at a key of their own are refused, and nothing is fetched but the provider’s own keys', async () => {
    const web = identities()
    await web.verify(await token())
    asked = []
    const forged = await newKey('first')
    const headers = [{ jwk: forged.jwk }, { jku: `${origin}/evil` }, { x5u: `${origin}/evil` }, { kid: '../../evil' }, { kid: `${origin}/evil` }, { kid: "' OR 1=1 --" }, { kid: '/dev/null' }]
    for (const header of headers) expect(await codeOf(web.verify(await token({ header, key: forged.privateKey })))).toBe('Malformed')
    expect(asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  it('of other issuers, for others, without a subject or an end, expired or from the future are refused', async () => {
    const web = identities()
    const now = Math.floor(clock.nowMs() / 1000)
    const bad: readonly [Record<string, unknown>, string][] = [
      [{ iss: 'https://evil.example' }, 'Malformed'], [{ iss: `${origin}/` }, 'Malformed'], [{ iss: `${origin}.evil.example` }, 'Malformed'], [{ iss: undefined }, 'Malformed'],
      [{ aud: 'other' }, 'Malformed'], [{ aud: [] }, 'Malformed'], [{ aud: undefined }, 'Malformed'], [{ sub: '' }, 'Malformed'], [{ sub: undefined }, 'Malformed'],
      [{ exp: undefined }, 'Malformed'], [{ exp: now - 60 }, 'Expired'], [{ nbf: now + 3600 }, 'Malformed'], [{ exp: 'never' }, 'Malformed'],
    ]
    for (const [claims, code] of bad) expect([claims, await codeOf(web.verify(await token({ claims })))]).toEqual([claims, code])
  })

  it('with any part changed are refused', async () => {
    const web = identities()
    const good = await token()
    expect(await codeOf(web.verify(good))).toBe('none')
    for (let at = 0; at < good.length; at += 7) {
      const changed = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1)
      // The last character of a part may carry bits that no byte has.
      if (Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(Buffer.from(good.split('.')[2] ?? '', 'base64url')) && changed.split('.').slice(0, 2).join('.') === good.split('.').slice(0, 2).join('.')) continue
      expect(await codeOf(web.verify(changed))).toBe('Malformed')
    }
    for (const text of ['', '.', '..', 'a.b.c', good + '.x', good.replace('.', '..'), 'A'.repeat(100_000)]) expect(await codeOf(web.verify(text))).toBe('Malformed')
  })
})

describe('hostile providers', () => {
  it('lead nowhere: no redirect is followed, no other issuer’s document taken, no other scheme fetched', async () => {
    const web = identities()
    documents = { '/.well-known/openid-configuration': `${origin}/other`, '/other': { issuer: origin, jwks_uri: `${origin}/jwks` }, '/jwks': { keys: [first.jwk] } }
    expect(await codeOf(web.verify(await token()))).toBe('Unavailable')
    expect(asked).toEqual(['/.well-known/openid-configuration'])
    documents['/.well-known/openid-configuration'] = { issuer: 'https://evil.example', jwks_uri: `${origin}/jwks` }
    expect(await codeOf(identitiesAs(documents).verify(await token()))).toBe('Unavailable')
    for (const uri of ['file:///etc/passwd', 'ftp://127.0.0.1/jwks', 'https://127.0.0.1:1/jwks', 'data:application/json,{}', 'http://user:pw@127.0.0.1/jwks']) {
      documents['/.well-known/openid-configuration'] = { issuer: origin, jwks_uri: uri }
      asked = []
      expect(await codeOf(identitiesAs(documents).verify(await token()))).toBe('Unavailable')
      expect(asked).toEqual(['/.well-known/openid-configuration'])
    }
  })

  it('that answer endlessly or with no key set are refused', async () => {
    const web = identities()
    documents['/jwks'] = { keys: Array.from({ length: 5000 }, () => first.jwk) }
    expect(await codeOf(web.verify(await token()))).toBe('Unavailable')
    documents['/jwks'] = { keys: 'many' }
    expect(await codeOf(web.verify(await token()))).toBe('Unavailable')
    documents['/jwks'] = { keys: [first.jwk] }
    expect(await codeOf(web.verify(await token()))).toBe('none')
  })
})

/** As `identities`, with the provider's documents as they are. */
function identitiesAs(kept: Record<string, unknown>): WebIdentities {
  const web = identities()
  documents = kept
  return web
}

import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openScratchEngine, type ScratchEngine } from '../../identity/scratch-engine.ts'
import { openTokenKeys, type TokenKeys } from '../../identity/token-keys.ts'
import { issueAccessToken, parseAccessToken } from './access-token.ts'

let world: ScratchEngine
let keys: TokenKeys
let token = ''
let kid = ''
const secretAccessKey = 'ada-secret'
const claims = { accessKeyId: 'ADA', scope: 'catalog', expiresAtMs: 2_000_000, sessionToken: 'sealed' }
const issued = { nowMs: 1_000_000, issuer: 'https://lake.example.org/iceberg', arn: 'arn:aws:iam::111111111111:user/ada' }

beforeAll(async () => {
  world = await openScratchEngine()
  keys = openTokenKeys({ ...world, serverKey: Buffer.alloc(32, 3) })
  token = await issueAccessToken(claims, { keys, secretAccessKey }, issued)
  kid = (await keys.current()).kid
})
afterAll(() => world.remove())

const isGood = async (text: string, secret = secretAccessKey, by = keys): Promise<boolean> => (await parseAccessToken(text)?.verify({ keys: by, secretAccessKey: secret })) === true
const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const payloadOf = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

describe('an access token', () => {
  it('says who and until when, and is good for the secret that it was made for', async () => {
    expect(parseAccessToken(token)?.claims).toEqual(claims)
    expect(payloadOf(token)).toMatchObject({ iss: issued.issuer, aud: issued.issuer, sub: 'ADA', client_id: 'ADA', arn: issued.arn, iat: 1000, exp: 2000 })
    expect(await isGood(token)).toBe(true)
    expect(await isGood(token, 'another-secret')).toBe(false)
    expect(Buffer.from(token).includes(secretAccessKey) || JSON.stringify(payloadOf(token)).includes(secretAccessKey)).toBe(false)
  })

  it('of another deployment is none, though its access key and secret are the same', async () => {
    const other = await openScratchEngine()
    try {
      const theirs = openTokenKeys({ ...other, serverKey: Buffer.alloc(32, 3) })
      const foreign = await issueAccessToken(claims, { keys: theirs, secretAccessKey }, issued)
      expect(await isGood(foreign, secretAccessKey, theirs)).toBe(true)
      expect(await isGood(foreign)).toBe(false)
    } finally {
      await other.remove()
    }
  })

  it('is refused with any character changed, and in any other spelling', async () => {
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
      expect([at, await isGood(changed)]).toEqual([at, false])
    }
    for (const text of ['', '.', '..', `${token}=`, `${token}.`, `.${token}`, ` ${token}`, token.replace('.', '..'), `${token}A`, token.slice(0, -1), 'A'.repeat(30_000)]) expect(await isGood(text)).toBe(false)
  })
})

describe('a forged token', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signedBy = (header: object, key = privateKey): string => {
    const signed = `${encode(header)}.${encode({ ...payloadOf(token), sub: 'ADA' })}`
    return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  it('by a key that it brings or points at is refused', async () => {
    const jwk = publicKey.export({ format: 'jwk' })
    for (const more of [{}, { jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/c' }, { crit: ['b64'], b64: false }]) {
      expect(await isGood(signedBy({ alg: 'ES256', typ: 'JWT', kid, ...more }))).toBe(false)
    }
  })

  it('with a key id that leads elsewhere is refused', async () => {
    for (const id of ['', '../1', `${kid}/../../server-key`, '/dev/null', "' OR 1=1 --", 'identity/server-key', '1', 1, null, ['1'], { a: 1 }, `${kid}\u0000`, 'x'.repeat(10_000)]) {
      expect([id, await isGood(signedBy({ alg: 'ES256', typ: 'JWT', kid: id }))]).toEqual([id, false])
    }
  })

  it('by no algorithm, or by a secret that everybody has, is refused', async () => {
    const [, body = ''] = token.split('.')
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'ES384', 'RS256', 'PS256', 'EdDSA', 'es256', undefined]) {
      for (const signature of ['', encode('x'.repeat(64)), token.split('.')[2] ?? '']) expect([alg, await isGood(`${encode({ alg, typ: 'JWT', kid })}.${body}.${signature}`)]).toEqual([alg, false])
    }
    const [published] = await keys.published()
    const spki = (await keys.publicKeyOf(kid))?.export({ format: 'pem', type: 'spki' }) ?? ''
    for (const secret of [JSON.stringify(published), String(spki), String(spki).trim(), kid, '']) {
      const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${body}`
      expect(await isGood(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`)).toBe(false)
    }
  })

  it('with a signature of zeros, which some libraries took for right, is refused', async () => {
    expect(await isGood(`${token.split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`)).toBe(false)
  })
})

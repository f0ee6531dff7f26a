import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { dayMs, minuteMs } from '../../base/units.ts'
import type { Engine } from '../../engine/index.ts'
import type { SecretBox } from './secret-box.ts'

/** Keys that sign access tokens: ES256, so that others can verify what they cannot sign. */
export interface TokenKeys {
  /** What signs now. */
  current(): Promise<SigningTokenKey>
  /** `undefined`: there is no such key, or it was dropped since no token of it can be valid. */
  publicKeyOf(kid: string): Promise<KeyObject | undefined>
  /** The public halves of all keys whose tokens may be met: RFC 7517. */
  published(): Promise<readonly PublishedKey[]>
  /** Ties a token to an access key and its secret: with another secret it is another. Tells nothing of either. */
  bindingOf(accessKeyId: string, secretAccessKey: string): string
  /** Makes the next key when the newest is old, and drops those that no valid token can have. One commit for each at most. */
  rotate(): Promise<void>
}

export interface SigningTokenKey {
  readonly kid: string
  readonly privateKey: KeyObject
}

export const tokenKeyRotationMs = 30 * dayMs
/** A key is published so long before it signs: others keep what they have fetched for a while. */
export const tokenKeyAheadMs = dayMs
/** No token lives longer: the bound of `MORAINE_TOKEN_LIFETIME`. */
const longestTokenMs = 7 * dayMs
/** How long a worker goes on with the keys that it knows. */
const rememberMs = minuteMs

const prefix = 'identity/token-key/'
const rowOf = (number: number): Buffer => Buffer.from(prefix + String(number).padStart(8, '0'))
const range = { start: Buffer.from(prefix), end: Buffer.from('identity/token-key0') }

/** RFC 7517 §4, RFC 7518 §6.2.1. */
export interface PublishedKey {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

interface TokenKey extends SigningTokenKey {
  readonly number: number
  readonly createdAtMs: number
  readonly publicKey: KeyObject
}

interface Parts {
  readonly engine: Pick<Engine, 'transact' | 'extensions'>
  readonly box: SecretBox
  readonly clock: Clock
  /** The deployment's own secret. */
  readonly serverKey: Uint8Array
}

/** Rows `identity/token-key/NUMBER`: when it was made (8 bytes), then the private key in PKCS #8, sealed. */
export function openTokenKeys({ engine, box, clock, serverKey }: Parts): TokenKeys {
  let known: { readonly keys: readonly TokenKey[]; readonly atMs: number } | undefined

  const readAll = async (): Promise<readonly TokenKey[]> => {
    const rows = await engine.extensions.list({ ...range, limit: 100 })
    return rows.map(({ key, value }) => readKey(key, value, box))
  }
  const make = (isDue: (newest: TokenKey | undefined) => boolean): Promise<void> =>
    engine.transact(async ({ extensions }) => {
      const [last] = await extensions.list({ ...range, limit: 1, reverse: true })
      const newest = last && readKey(last.key, last.value, box)
      if (!isDue(newest)) return
      const row = rowOf((newest?.number ?? 0) + 1)
      extensions.requireEmpty({ start: row, end: range.end })
      const createdAt = Buffer.alloc(8)
      createdAt.writeBigUInt64BE(BigInt(clock.nowMs()))
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      extensions.put(row, Buffer.concat([createdAt, box.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), row)]))
    })
  const keys = async (): Promise<readonly TokenKey[]> => {
    if (known !== undefined && clock.nowMs() - known.atMs < rememberMs) return known.keys
    let found = await readAll()
    if (found.length === 0) {
      await make(newest => newest === undefined)
      found = await readAll()
    }
    known = { keys: found, atMs: clock.nowMs() }
    return found
  }
  return {
    async current() {
      const all = await keys()
      const nowMs = clock.nowMs()
      return must(all.findLast(({ createdAtMs }) => nowMs - createdAtMs >= tokenKeyAheadMs) ?? all[0], 'there is a key once one was asked for')
    },
    async publicKeyOf(kid) {
      const found = (await keys()).find(key => key.kid === kid)
      if (found !== undefined) return found.publicKey
      // Another worker may have made it within this minute.
      const number = /^(\d{1,8})-/.exec(kid)?.[1]
      const row = number === undefined ? undefined : rowOf(Number(number))
      const value = row && (await engine.extensions.get(row))
      const key = row === undefined || value === undefined ? undefined : readKey(row, value, box)
      return key?.kid === kid ? key.publicKey : undefined
    },
    published: async () => (await keys()).map(({ kid, publicKey }) => ({ ...pointOf(publicKey), kid, alg: 'ES256', use: 'sig' })),
    bindingOf: (accessKeyId, secretAccessKey) =>
      createHmac('sha256', serverKey).update(JSON.stringify(['access token', accessKeyId, secretAccessKey])).digest().subarray(0, 16).toString('base64url'),
    async rotate() {
      const nowMs = clock.nowMs()
      await make(newest => newest === undefined || nowMs - newest.createdAtMs >= tokenKeyRotationMs)
      const all = await readAll()
      const over = all.filter((_, index) => {
        // A key signs until the next one does, everywhere.
        const next = all[index + 1]
        return next !== undefined && nowMs - next.createdAtMs > tokenKeyAheadMs + longestTokenMs + dayMs
      })
      if (over.length === 0) return
      await engine.transact(async ({ extensions }) => {
        for (const { number } of over) extensions.delete(rowOf(number))
      })
    },
  }
}

/** The key's id has its number, to find it by, and a part of its thumbprint (RFC 7638): those of two deployments differ. */
function readKey(row: Buffer, value: Buffer, box: SecretBox): TokenKey {
  const der = must(box.open(value.subarray(8), row), 'token keys were sealed by this deployment')
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const number = Number(row.toString('utf8', prefix.length))
  const kid = `${number}-${hash('sha256', JSON.stringify(pointOf(publicKey)), 'base64url').slice(0, 10)}`
  return { number, kid, privateKey, publicKey, createdAtMs: Number(value.readBigUInt64BE()) }
}

/** The members in the order of their names, as thumbprints are made of them. */
function pointOf(publicKey: KeyObject): Pick<PublishedKey, 'crv' | 'kty' | 'x' | 'y'> {
  const { crv = '', kty = '', x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { crv, kty, x, y }
}

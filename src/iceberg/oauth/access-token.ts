import { sign, timingSafeEqual, verify as verifySignature } from 'node:crypto'
import type { TokenKeys } from '../../identity/token-keys.ts'

/**
 * Access tokens: JWTs (RFC 7519) signed by ES256, so that clients can read when they expire and others can verify them by
 * the published keys. Nothing is stored. Each is bound to its access key and the secret of that, so it ends with the
 * access key or a change of its secret.
 */
export interface AccessTokenClaims {
  readonly accessKeyId: string
  readonly scope: string
  readonly expiresAtMs: number
  /** Of temporary keys: what they are used with. */
  readonly sessionToken?: string
}

interface Payload {
  /** Where its keys are published: `ISSUER/.well-known/openid-configuration`. Also the audience: the catalog itself. */
  readonly iss: string
  readonly aud: string
  readonly sub: string
  readonly client_id: string
  /** Who that is, for others. */
  readonly arn: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
  /** `TokenKeys.bindingOf`. */
  readonly binding: string
  readonly session?: string
}

/** Longer ones are not ours. */
const maxTokenLength = 20_480
const maxKidLength = 32
const signatureBytes = 64

export interface TokenSecret {
  readonly keys: TokenKeys
  readonly secretAccessKey: string
}

export interface Issued {
  readonly nowMs: number
  /** Where clients reach the catalog: `https://lake.example.org/iceberg`. */
  readonly issuer: string
  /** The caller's ARN. */
  readonly arn: string
}

export async function issueAccessToken(claims: AccessTokenClaims, { keys, secretAccessKey }: TokenSecret, { nowMs, issuer, arn }: Issued): Promise<string> {
  const { kid, privateKey } = await keys.current()
  const payload: Payload = {
    iss: issuer,
    aud: issuer,
    sub: claims.accessKeyId,
    client_id: claims.accessKeyId,
    arn,
    scope: claims.scope,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor(claims.expiresAtMs / 1000),
    binding: keys.bindingOf(claims.accessKeyId, secretAccessKey),
    ...(claims.sessionToken === undefined ? {} : { session: claims.sessionToken }),
  }
  const signed = `${headerOf(kid)}.${base64url(JSON.stringify(payload))}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** What a token says, not yet believed: `verify` it with the secret of the access key it names. */
export interface UnverifiedToken {
  readonly claims: AccessTokenClaims
  verify(secret: TokenSecret): Promise<boolean>
}

export function parseAccessToken(token: string): UnverifiedToken | undefined {
  if (token.length > maxTokenLength) return undefined
  const [head, body, signature, ...rest] = token.split('.')
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined
  const kid = kidOf(head)
  const payload = readPayload(body)
  const given = Buffer.from(signature, 'base64url')
  if (kid === undefined || payload === undefined || given.length !== signatureBytes || given.toString('base64url') !== signature) return undefined
  return {
    claims: {
      accessKeyId: payload.sub,
      scope: payload.scope,
      expiresAtMs: payload.exp * 1000,
      ...(payload.session === undefined ? {} : { sessionToken: payload.session }),
    },
    async verify({ keys, secretAccessKey }) {
      if (!isSame(payload.binding, keys.bindingOf(payload.sub, secretAccessKey))) return false
      const key = await keys.publicKeyOf(kid)
      return key !== undefined && verifySignature('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, given)
    },
  }
}

/** The header is ours to the letter, or it is none: no algorithm, and no other member, is taken from a token. */
const headerOf = (kid: string): string => base64url(JSON.stringify({ alg: 'ES256', typ: 'JWT', kid }))

function kidOf(head: string): string | undefined {
  const { kid } = readObject(head) ?? {}
  return typeof kid === 'string' && kid.length <= maxKidLength && headerOf(kid) === head ? kid : undefined
}

function readPayload(body: string): Payload | undefined {
  const value = readObject(body) as Partial<Payload> | undefined
  if (value === undefined) return undefined
  const { iss, aud, sub, client_id, arn, scope, iat, exp, binding, session } = value
  const isText = [iss, aud, sub, client_id, arn, scope, binding].every(text => typeof text === 'string')
  if (!isText || typeof iat !== 'number' || typeof exp !== 'number') return undefined
  return session === undefined || typeof session === 'string' ? (value as Payload) : undefined
}

function readObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Access tokens: JWTs (RFC 7519, HS256), so that clients can read when they expire. Nothing is
 * stored. The key that signs one is derived from the server's key and the access key with its
 * secret, so every worker can verify it, and it ends with the access key or a change of its secret.
 */
export interface AccessTokenClaims {
  readonly accessKeyId: string
  readonly scope: string
  readonly expiresAtMs: number
  /** Of temporary keys: what they are used with. */
  readonly sessionToken?: string
}

interface Payload {
  readonly iss: string
  readonly sub: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
  readonly session?: string
}

const issuer = 'moraine'
const header = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }))
/** Longer ones are not ours. */
const maxTokenLength = 20_480

export interface TokenSecret {
  /** The server's own key, the same on every worker. */
  readonly serverKey: Uint8Array
  readonly secretAccessKey: string
}

export function issueAccessToken(claims: AccessTokenClaims, secret: TokenSecret, nowMs: number): string {
  const payload: Payload = {
    iss: issuer,
    sub: claims.accessKeyId,
    scope: claims.scope,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor(claims.expiresAtMs / 1000),
    ...(claims.sessionToken === undefined ? {} : { session: claims.sessionToken }),
  }
  const signed = `${header}.${base64url(JSON.stringify(payload))}`
  return `${signed}.${signatureOf(signed, claims.accessKeyId, secret).toString('base64url')}`
}

/** What a token says, not yet believed: `verify` it with the secret of the access key it names. */
export interface UnverifiedToken {
  readonly claims: AccessTokenClaims
  verify(secret: TokenSecret): boolean
}

export function parseAccessToken(token: string): UnverifiedToken | undefined {
  if (token.length > maxTokenLength) return undefined
  const [head, body, signature, ...rest] = token.split('.')
  if (head !== header || body === undefined || signature === undefined || rest.length > 0) return undefined
  const payload = readPayload(body)
  if (payload === undefined) return undefined
  return {
    claims: {
      accessKeyId: payload.sub,
      scope: payload.scope,
      expiresAtMs: payload.exp * 1000,
      ...(payload.session === undefined ? {} : { sessionToken: payload.session }),
    },
    verify(secret) {
      const expected = signatureOf(`${head}.${body}`, payload.sub, secret)
      const given = Buffer.from(signature, 'base64url')
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}

function readPayload(body: string): Payload | undefined {
  let value: Partial<Payload> | null
  try {
    value = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Partial<Payload> | null
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { iss, sub, scope, iat, exp, session } = value
  if (iss !== issuer || typeof sub !== 'string' || typeof scope !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') return undefined
  if (session !== undefined && typeof session !== 'string') return undefined
  return { iss, sub, scope, iat, exp, ...(session === undefined ? {} : { session }) }
}

function signatureOf(signed: string, accessKeyId: string, { serverKey, secretAccessKey }: TokenSecret): Buffer {
  const key = createHmac('sha256', serverKey).update(JSON.stringify(['iceberg access token', accessKeyId, secretAccessKey])).digest()
  return createHmac('sha256', key).update(signed).digest()
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

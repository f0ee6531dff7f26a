import { createHmac, timingSafeEqual } from 'node:crypto'

/** The token that `mc admin prometheus generate` makes: a JSON Web Token (RFC 7519) of HS512 with the root password, issued by `prometheus`. */
export function isPrometheusToken(authorization: string | undefined, root: { readonly user: string; readonly password: string }, nowMs: number): boolean {
  const [, signed, signature] = /^Bearer +([\w-]+\.[\w-]+)\.([\w-]+)$/i.exec(authorization ?? '') ?? []
  if (signed === undefined || signature === undefined) return false
  const expected = createHmac('sha512', root.password).update(signed).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  const [header, claims] = signed.split('.').map(part => parsed(part))
  return header?.['alg'] === 'HS512' && claims?.['sub'] === root.user && claims['iss'] === 'prometheus' && typeof claims['exp'] === 'number' && claims['exp'] * 1000 > nowMs
}

function parsed(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  } catch {
    return undefined
  }
}

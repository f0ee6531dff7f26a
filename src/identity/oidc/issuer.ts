/** An identity provider whose tokens the operator has this server believe. */
export interface Issuer {
  /** For logs and `arn:minio:iam:::role/NAME`. */
  readonly name: string
  /** The `iss` of its tokens, exactly; `ISSUER/.well-known/openid-configuration` describes it. */
  readonly issuer: string
  /** Instead of what the discovery document says. */
  readonly jwksUri?: string
  /** One of them must be in a token's `aud`, or be its `azp` or `client_id`. */
  readonly clientIds: readonly string[]
  /** The account that its identities belong to where no role is named. */
  readonly account?: string
  /** The claim that names policies: a list, or text with commas between. */
  readonly policyClaim: string
  /** Stands before each claim's name: `https://example.org/claims/`. */
  readonly claimPrefix: string
  /** Policies of all its identities, instead of those that a claim names. */
  readonly rolePolicies?: readonly string[]
}

/** A token that was verified: who, by whom, for whom, and all its claims. */
export interface WebIdentity {
  readonly issuer: Issuer
  readonly subject: string
  readonly audience: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly expiresAtMs: number
}

/**
 * - `Malformed`: it is no token, or of an issuer that is none of ours, or not for us, or its signature is wrong.
 * - `Expired`: it was one of ours.
 * - `Unavailable`: the provider’s keys cannot be fetched.
 */
export class WebIdentityError extends Error {
  override readonly name = 'WebIdentityError'
  readonly code: 'Malformed' | 'Expired' | 'Unavailable'

  constructor(code: WebIdentityError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The URL's host and path, as AWS names providers: `login.example.org/realms/lake`. */
export function providerNameOf(issuer: string): string {
  const { host, pathname } = new URL(issuer)
  return `${host}${pathname}`.replace(/\/+$/, '')
}

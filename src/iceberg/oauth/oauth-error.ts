/** An error of the token endpoint: RFC 6749 §5.2 and RFC 8693 §2.2.2. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'

export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  /** The client authenticated by HTTP Basic, so the answer must name that scheme. */
  readonly usedBasic: boolean

  constructor(code: OAuthErrorCode, message: string, usedBasic = false) {
    super(message)
    this.code = code
    this.usedBasic = usedBasic
  }

  get status(): number {
    return this.code === 'invalid_client' ? 401 : 400
  }
}

import type { Principal } from '../policy/principal.ts'
import type { AccountQuotas } from './account-quotas.ts'
import type { SessionClaims } from './session-token.ts'

/** Who makes a request, once it is authenticated. */
export interface Caller {
  /** Who that is to policies, and what they grant and limit. */
  readonly principal: Principal
  /** The account that the caller acts for: what it makes belongs to it. */
  readonly account: Account
  readonly accessKeyId: string
  /** What sessions of this caller are made of. */
  readonly basis?: SessionBasis
}

/** What a session of a caller's own rights inherits: of a session, all that limits it. */
export interface SessionBasis extends Pick<SessionClaims, 'accountId' | 'subject' | 'parentKey' | 'limits' | 'keys' | 'transitiveTags'> {
  /** When the caller's own session ends; undefined for long-term keys. */
  readonly expiresAtMs: number | undefined
}

/** A tenant: it owns buckets and warehouses, and has access keys. */
export interface Account {
  /** Unique on this server. */
  readonly name: string
  /** The canonical user id: 64 lower-case hex digits. Owner elements and grants carry it. */
  readonly id: string
  /** 12 decimal digits. ARNs, `x-amz-expected-bucket-owner` and STS carry it. */
  readonly accountId: string
  readonly displayName: string
  readonly email: string
  readonly quotas?: AccountQuotas
}

/** What an access key id stands for. */
export interface Credentials {
  readonly secretAccessKey: string
  readonly caller: Caller
}

/**
 * What is wrong with temporary credentials, in the words of AWS.
 * - `ExpiredToken`: the session is over.
 * - `InvalidToken`: the token was changed, is another key's, or was revoked with what it was made of.
 */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  readonly code: 'ExpiredToken' | 'InvalidToken'

  constructor(code: CredentialError['code']) {
    super(code === 'ExpiredToken' ? 'The provided token has expired.' : 'The provided token is malformed or otherwise invalid.')
    this.code = code
  }
}

/** Whether the caller may make one more request now, by the quotas of its account. It counts when it may. */
export type AdmitRequest = (caller: Caller) => boolean

/**
 * The answer holds on every worker from the first request after a change. `undefined`: no such key, or it is off.
 * Temporary keys need their session token; throws `CredentialError`.
 */
export type LookupAccessKey = (accessKeyId: string, sessionToken?: string) => Promise<Credentials | undefined>

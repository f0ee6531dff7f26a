import type { NamedPolicy } from './language.ts'

/**
 * Who asks, as policies see it. Whoever authenticates a request makes one (`src/identity`), with everything that
 * limits it: evaluation reads nothing else. A value is good for one request, so a revoked right is gone with the next.
 *
 * - `serverRoot`: the operator's key. May do everything, and no policy binds it.
 * - `accountRoot`: an account's own key. May do everything in its account but what a resource's policy denies.
 * - `user`: an IAM user. `roleSession`: a role that was assumed. `federated`: a session without a role (OpenID Connect,
 *   LDAP, certificates, GetFederationToken). `anonymous`: no signature at all.
 */
export type PrincipalKind = 'serverRoot' | 'accountRoot' | 'user' | 'roleSession' | 'federated' | 'anonymous'

export interface Principal {
  readonly kind: PrincipalKind
  /** 12 digits; the account that the caller belongs to. Empty for `anonymous`. */
  readonly accountId: string
  /** The account's canonical user id: what ACLs and `{"CanonicalUser": …}` name. */
  readonly canonicalUserId: string
  /** `arn:aws:iam::ID:root`, `…:user/PATH/NAME`; of a session that of the role: `…:role/PATH/NAME`. Empty for `anonymous`. */
  readonly arn: string
  /** `arn:aws:sts::ID:assumed-role/ROLE/SESSION` and `arn:aws:sts::ID:federated-user/NAME`. */
  readonly sessionArn?: string
  /** `aws:userid`: `AIDA…`, `AROA…:SESSION`, `ACCOUNTID:NAME`; an account's root has its account id. */
  readonly userId: string
  /** `aws:username`: users only. */
  readonly userName?: string
  readonly policies: PrincipalPolicies
  /**
   * Further condition keys that the caller brings: `aws:PrincipalTag/K`, `aws:TokenIssueTime`, `aws:MultiFactorAuthPresent`,
   * `aws:FederatedProvider`, `aws:groups`, `jwt:…`, `ldap:…`, `sts:…`. Names in the form of `conditionKey`.
   */
  readonly keys: ReadonlyMap<string, readonly string[]>
}

export interface PrincipalPolicies {
  /** Inline, attached and of groups, all of them. A root has none and needs none. */
  readonly identity: readonly NamedPolicy[]
  /** The permission boundary of the user or role: a limit, never a grant. */
  readonly boundary?: readonly NamedPolicy[]
  /**
   * The session's own policies, inline and managed together, as given to AssumeRole and its like. As AWS has it, they do not
   * limit what a resource's policy grants to the session's own ARN.
   */
  readonly session?: readonly NamedPolicy[]
  /**
   * Further limits, each of which must allow, whatever grants: an access key's inline policy, a session made without a
   * role, a table's vended credentials. An empty list of policies within allows nothing.
   */
  readonly limits: readonly (readonly NamedPolicy[])[]
}

/** AWS's own canonical user id of requests without a signature: what they write is owned by it. */
export const anonymousCanonicalUserId = '65a011a29cdf8ec533ec3d1ccaae921c'

const unlimited: PrincipalPolicies = { identity: [], limits: [] }

export const anonymous: Principal = {
  kind: 'anonymous',
  accountId: '',
  canonicalUserId: anonymousCanonicalUserId,
  arn: '',
  userId: 'anonymous',
  policies: unlimited,
  keys: new Map(),
}

/** The key of an account itself, or with `serverRoot` the operator's. */
export function rootPrincipal(kind: 'serverRoot' | 'accountRoot', { accountId, id }: { readonly accountId: string; readonly id: string }): Principal {
  return { kind, accountId, canonicalUserId: id, arn: `arn:aws:iam::${accountId}:root`, userId: accountId, policies: unlimited, keys: new Map() }
}

/** The operator's key, or a session of it that nothing limits: no policy is about it. */
export const isUnboundRoot = ({ kind, policies: { limits, session } }: Principal): boolean => kind === 'serverRoot' && limits.length === 0 && session === undefined

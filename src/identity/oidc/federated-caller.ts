import { hash } from 'node:crypto'
import type { PolicyCache } from '../../policy/policy-cache.ts'
import type { Caller } from '../caller.ts'
import { rootAccountName } from '../identity-records.ts'
import type { IdentityStore } from '../identity-store.ts'
import { resolvePrincipal } from '../resolve-principal.ts'
import { federatedBasis, parentNameOf } from './federated-basis.ts'
import type { WebIdentity } from './issuer.ts'

/**
 * Who a verified token is, for one request: without a session, since the token comes with each. `undefined`: no policy is
 * named, the account is gone or off, or has revoked what was issued before.
 */
export async function federatedCaller(identity: Pick<IdentityStore, 'getAccount' | 'extensions'>, policies: PolicyCache, who: WebIdentity): Promise<Caller | undefined> {
  const account = await identity.getAccount(who.issuer.account ?? rootAccountName)
  const { iat } = who.claims
  const issuedAtMs = typeof iat === 'number' ? iat * 1000 : 0
  if (account === undefined || account.status === 'Disabled' || issuedAtMs < (account.revokedBeforeMs ?? 0)) return undefined
  const basis = federatedBasis(who, account)
  if (basis.subject.kind === 'federated' && basis.subject.policies.length === 0) return undefined
  const principal = await resolvePrincipal({ extensions: identity.extensions, policies }, account, { ...basis, issuedAtMs })
  if (principal === undefined) return undefined
  return { principal, account, accessKeyId: `oidc-${hash('sha256', parentNameOf(who), 'hex').slice(0, 32)}`, basis: { ...basis, expiresAtMs: who.expiresAtMs } }
}

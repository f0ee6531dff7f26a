import type { IdentityStore } from '../identity/identity-store.ts'
import { federatedCaller } from '../identity/oidc/federated-caller.ts'
import { WebIdentityError } from '../identity/oidc/issuer.ts'
import type { WebIdentities } from '../identity/oidc/web-identities.ts'
import { PolicyCache } from '../policy/policy-cache.ts'
import type { ForeignTokens } from './authenticate.ts'

/** Tokens of identity providers at the catalog. */
export function foreignTokens(identity: IdentityStore, webIdentities: WebIdentities): ForeignTokens {
  const policies = new PolicyCache()
  return {
    isOfIssuer: token => webIdentities.isOfIssuer(token),
    async callerOf(token) {
      try {
        return await federatedCaller(identity, policies, await webIdentities.verify(token))
      } catch (error) {
        if (error instanceof WebIdentityError) return undefined
        throw error
      }
    },
  }
}

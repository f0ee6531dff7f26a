import type { IncomingMessage } from 'node:http'
import type { Caller } from '../identity/caller.ts'
import type { IdentityProviders } from '../identity/identity-providers.ts'
import type { IdentityStore } from '../identity/identity-store.ts'
import type { Attempts } from '../identity/attempts.ts'
import type { WebIdentities } from '../identity/oidc/web-identities.ts'
import type { ClientFacts, QueryCall } from '../identity/query-call.ts'
import type { Decider } from '../policy/decider.ts'
import type { PolicyCache } from '../policy/policy-cache.ts'
import { QueryError } from '../wire/query-error.ts'

/** One operation of STS, AWS's or MinIO's. Throws `QueryError`. */
export interface Operation<Input extends object, Output extends object> {
  readonly honours: readonly (keyof Input & string)[]
  run(input: Input, call: StsCall): Promise<Output>
}

export interface StsCall {
  /** Undefined: the request is not signed. */
  readonly caller: Caller | undefined
  readonly client: ClientFacts
  readonly noteDecision: QueryCall['noteDecision']
  /** For what its connection shows: a certificate. */
  readonly request: IncomingMessage
  readonly identity: IdentityStore
  readonly nowMs: number
  readonly policies: PolicyCache
  /** Decides what signed callers may do. */
  readonly decider: Decider
  /** Sessions of the caller's own rights, without a role. */
  readonly isRolelessAllowed: boolean
  readonly providers: IdentityProviders
  readonly webIdentities: WebIdentities
  readonly attempts: Attempts
  readonly fetch: typeof fetch
}

/** Who signed the request. */
export function signedBy({ caller }: StsCall): Caller {
  if (caller === undefined) throw new QueryError('MissingAuthenticationToken', 'Request is missing Authentication Token')
  return caller
}

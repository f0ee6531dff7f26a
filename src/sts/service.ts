import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { IdentityProviders } from '../identity/identity-providers.ts'
import type { IdentityStore } from '../identity/identity-store.ts'
import { Attempts } from '../identity/attempts.ts'
import type { WebIdentities } from '../identity/oidc/web-identities.ts'
import type { QueryCall } from '../identity/query-call.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import { PolicyCache } from '../policy/policy-cache.ts'
import { QueryError } from '../wire/query-error.ts'
import { stsModel } from '../wire/query-operations.ts'
import type { Operation } from './operation.ts'
import { operations } from './operations.ts'

export interface StsParts {
  readonly identity: IdentityStore
  readonly clock: Clock
  /** `off`: every session is one of a role. */
  readonly isRolelessAllowed: boolean
  readonly providers: IdentityProviders
  readonly webIdentities: WebIdentities
  /** Absent: the policies alone. */
  readonly decider?: Decider
  /** Asks identity services. */
  readonly fetch: typeof fetch
}

/** STS. Each operation authorizes by its own rules: trust policies, tokens, passwords, certificates. */
export function createStsService({ clock, decider = byPolicies, ...parts }: StsParts) {
  const policies = new PolicyCache()
  const attempts = new Attempts(clock)
  return {
    model: stsModel,
    signingNames: ['sts', 's3', 'iam'],
    async run(name: string, input: object, { caller, client, request, noteDecision }: QueryCall & { readonly request: IncomingMessage }): Promise<object> {
      const operation = (operations as Readonly<Record<string, Operation<never, object> | undefined>>)[name]
      if (operation === undefined) throw new QueryError('NotImplemented', `${name} is not implemented.`)
      const stranger = Object.keys(input).find(member => !(operation.honours as readonly string[]).includes(member))
      if (stranger !== undefined) throw new QueryError('NotImplemented', `${name} with ${stranger} is not implemented.`)
      let isNoted = false
      const note: QueryCall['noteDecision'] = decision => {
        isNoted = true
        noteDecision(decision)
      }
      try {
        const output = await operation.run(input as never, { ...parts, caller, client, request, noteDecision: note, nowMs: clock.nowMs(), policies, decider, attempts })
        if (!isNoted) note({ effect: 'allow', because: `sts:${name}: ${caller === undefined ? 'the identity was proven' : 'every caller may'}` })
        return output
      } catch (error) {
        if (!isNoted && error instanceof QueryError) note({ effect: 'deny', because: `sts:${name}: ${error.message}` })
        throw error
      }
    },
  }
}

import { evaluatePolicy, type AccessRequest, type Decision, type PoliciesInForce } from './evaluate.ts'

/** What decides requests: the policies in force, alone or with a service that is asked besides. */
export interface Decider {
  /** Whether it is asked also where no policy has a say: about the server's root, and an account's own key. */
  readonly bindsRoots: boolean
  /** Never throws: what cannot be decided is denied. */
  decide(request: AccessRequest, policies: PoliciesInForce): Decision | Promise<Decision>
}

export const byPolicies: Decider = { bindsRoots: false, decide: evaluatePolicy }

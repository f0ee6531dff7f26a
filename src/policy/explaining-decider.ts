import type { Decider } from './decider.ts'
import { explainDecision, type Explanation } from './explain.ts'
import type { Principal } from './principal.ts'

/** A question of the operator: who may do what to what. */
export interface Question {
  readonly principal: Principal
  readonly action: string
  /** An ARN, without escapes but those of names in the catalog. */
  readonly resource: string
  /** What the request would bring, by condition key; wins over what the server knows. */
  readonly given: ReadonlyMap<string, readonly string[]>
  readonly nowMs: number
}

/** Answers questions about resources of its kind. Undefined: the resource is none of them. Throws `NoSuchResource`. */
export type Explain = (question: Question) => Promise<Explanation | undefined>

/** What the question is about is not there, or cannot be named so; the message says which. */
export class NoSuchResource extends Error {
  override readonly name = 'NoSuchResource'
}

/**
 * Decides as the policies do, and keeps the last decision with its reasons: what authorizes requests gathers the
 * policies in force, and this one asks them the question's action instead.
 */
export function explainingDecider({ action, given }: Pick<Question, 'action' | 'given'>): { readonly decider: Decider; readonly last: () => Explanation | undefined } {
  let last: Explanation | undefined
  const decider: Decider = {
    bindsRoots: true,
    decide(request, policies) {
      last = explainDecision({ ...request, action, context: key => given.get(key) ?? request.context(key) }, policies)
      return last
    },
  }
  return { decider, last: () => last }
}

import { compilePolicy } from './compile.ts'
import type { Policy, PolicyKind } from './language.ts'

/**
 * Compiled documents by their own text, so that an entry is never out of date: who reads the row afresh gets the
 * policy that it holds. Bounded; the least recently used goes first.
 */
export class PolicyCache {
  readonly #policies = new Map<string, Policy>()
  readonly #maxEntries: number

  constructor(maxEntries = 4096) {
    this.#maxEntries = maxEntries
  }

  /** Throws `PolicyError`. `maxBytes` as in `compilePolicy`. */
  compiled(text: string, kind: PolicyKind, maxBytes?: number): Policy {
    const key = `${kind}:${text}`
    const known = this.#policies.get(key)
    const policy = known ?? compilePolicy(text, maxBytes === undefined ? { kind } : { kind, maxBytes })
    if (known !== undefined) this.#policies.delete(key)
    else if (this.#policies.size >= this.#maxEntries) this.#policies.delete(this.#policies.keys().next().value ?? key)
    this.#policies.set(key, policy)
    return policy
  }
}

import type { Clock } from '../../../base/clock.ts'
import type { Caller } from '../../identity/caller.ts'

/** Requests that one worker admitted, for the others: by name, with the rate that the name has. */
export type Spent = readonly (readonly [name: string, perSecond: number, requests: number])[]

export interface RateLimitsOptions {
  readonly clock: Clock
  /** Tells the other workers. */
  readonly tell: (spent: Spent) => void
}

interface Allowance {
  readonly perSecond: number
  /** Below nothing where others admitted too. */
  left: number
  atMs: number
}

/** How long it takes until a request that one worker admitted counts on the others. */
export const tellEveryMs = 100
/** So many accounts and identities are kept in memory; the one that was silent for the longest goes first. */
const rememberedNames = 10_000

/**
 * The requests of accounts and identities that have a rate. Each may make a second's worth at once, and then as many as
 * its rate gives. What one worker admits is told to the others and counts there: over time the rate is kept over all of
 * them; within one `tellEveryMs` each may let through what it has left.
 */
export class RateLimits {
  readonly #options: RateLimitsOptions
  readonly #allowances = new Map<string, Allowance>()
  #spent = new Map<string, { readonly perSecond: number; requests: number }>()

  constructor(options: RateLimitsOptions) {
    this.#options = options
  }

  /** Whether the caller may make one more request now; it counts when it may. */
  admit({ account: { accountId, quotas }, principal: { arn } }: Caller): boolean {
    if (quotas === undefined) return true
    const { requestsPerSecond, identityRequestsPerSecond } = quotas
    const asked = [[`account ${accountId}`, requestsPerSecond], [`identity ${arn}`, identityRequestsPerSecond]] as const
    const limited = asked.flatMap(([name, perSecond]) => (perSecond === undefined ? [] : [{ name, perSecond, allowance: this.#allowance(name, perSecond) }]))
    if (limited.some(({ allowance }) => allowance.left < 1)) return false
    for (const { name, perSecond, allowance } of limited) {
      allowance.left--
      this.#note(name, perSecond)
    }
    return true
  }

  /** What another worker has admitted. */
  heard(spent: Spent): void {
    for (const [name, perSecond, requests] of spent) this.#allowance(name, perSecond).left -= requests
  }

  #allowance(name: string, perSecond: number): Allowance {
    const nowMs = this.#options.clock.monotonicMs()
    const most = Math.max(1, perSecond)
    const known = this.#allowances.get(name)
    const allowance: Allowance = known === undefined || known.perSecond !== perSecond
      ? { perSecond, left: most, atMs: nowMs }
      : { perSecond, left: Math.min(most, known.left + ((nowMs - known.atMs) * perSecond) / 1000), atMs: nowMs }
    this.#allowances.delete(name)
    if (this.#allowances.size >= rememberedNames) this.#allowances.delete(this.#allowances.keys().next().value ?? name)
    this.#allowances.set(name, allowance)
    return allowance
  }

  #note(name: string, perSecond: number): void {
    const isFirst = this.#spent.size === 0
    const noted = this.#spent.get(name)
    if (noted === undefined) this.#spent.set(name, { perSecond, requests: 1 })
    else noted.requests++
    if (isFirst) void this.#options.clock.sleep(tellEveryMs).then(() => this.#tell())
  }

  #tell(): void {
    const spent = this.#spent
    this.#spent = new Map()
    this.#options.tell([...spent].map(([name, { perSecond, requests }]) => [name, perSecond, requests]))
  }
}

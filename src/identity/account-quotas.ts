/** What an account may have and do; absent: as much as there is. */
export interface AccountQuotas {
  /** Of all versions in its buckets, and of parts of uploads under way. */
  readonly bytes?: number
  readonly buckets?: number
  readonly requestsPerSecond?: number
  /** Of each of its users and roles, and of its own key. */
  readonly identityRequestsPerSecond?: number
}

/** The least that each may be: an account without a request could not even be looked at. */
const least = { bytes: 0, buckets: 0, requestsPerSecond: 1, identityRequestsPerSecond: 1 } as const satisfies Required<AccountQuotas>

/** Quotas as documents have them; a text says what is wrong. */
export function readQuotas(value: unknown): AccountQuotas | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected an object'
  for (const [name, quota] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (!Object.hasOwn(least, name)) return `there is no quota ${name}; expected ${Object.keys(least).join(', ')}`
    const smallest = least[name as keyof AccountQuotas]
    if (!Number.isSafeInteger(quota) || (quota as number) < smallest) return `${name} is a whole number, ${smallest} or more`
  }
  return value
}

import type { Principal } from '../policy/principal.ts'

/** Who makes a request, once it is authenticated. */
export interface Caller {
  /** Who that is to policies, and what they grant and limit. */
  readonly principal: Principal
  /** The account that the caller acts for: what it makes belongs to it. */
  readonly account: Account
  readonly accessKeyId: string
}

/** A tenant: it owns buckets and warehouses, and has access keys. */
export interface Account {
  /** Unique on this server. */
  readonly name: string
  /** The canonical user id: 64 lower-case hex digits. Owner elements and grants carry it. */
  readonly id: string
  /** 12 decimal digits. ARNs, `x-amz-expected-bucket-owner` and STS carry it. */
  readonly accountId: string
  readonly displayName: string
  readonly email: string
}

/** What an access key id stands for. */
export interface Credentials {
  readonly secretAccessKey: string
  readonly caller: Caller
}

/**
 * The answer holds on every worker from the first request after a change: nothing is cached.
 * `undefined`: no such key.
 */
export type LookupAccessKey = (accessKeyId: string) => Promise<Credentials | undefined>

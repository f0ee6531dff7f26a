/** Who makes a request, once it is authenticated. */
export interface Caller {
  /** `root` may do everything; an `account` what it owns. */
  readonly kind: 'root' | 'account'
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

import type { Random } from '../../base/random.ts'
import type { Caller } from '../identity/caller.ts'
import type { IamReader } from '../identity/iam-rows.ts'
import type { IdentityStore } from '../identity/identity-store.ts'
import type { ClientFacts } from '../identity/query-call.ts'
import type { PolicyCache } from '../policy/policy-cache.ts'
import type { IamInput, IamOperationName, IamOutput } from '../wire/query-operations.ts'

/** One operation of IAM. A parameter that it does not act on is refused before `run`. */
export interface Operation<N extends IamOperationName> {
  readonly honours: readonly (keyof IamInput<N> & string)[]
  /** The ARN, after `arn:aws:iam::ACCOUNT:`, of what it is about; `*` where it is about no one thing. */
  readonly resource: (input: IamInput<N>, call: Pick<IamCall, 'caller' | 'iam'>) => string | Promise<string>
  /** Commit point: the one transaction of `identity`. Throws `QueryError`. */
  run(input: IamInput<N>, call: IamCall): Promise<IamOutput<N>>
}

/** What every operation has at hand. Everything is about the caller's account. */
export interface IamCall {
  readonly caller: Caller
  readonly client: ClientFacts
  readonly accountId: string
  readonly identity: IdentityStore
  /** The account's rows as they are. */
  readonly iam: IamReader
  readonly nowMs: number
  readonly random: Random
  readonly policies: PolicyCache
}

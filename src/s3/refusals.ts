import { S3Error } from '../wire/errors.ts'
import type { ReadRequest } from '../wire/read-request.ts'
import type { AnyOperation } from './operations.ts'

/** Members whose refusal is another than NotImplemented, because AWS has one for a server that does not do it. */
const refusals: Readonly<Record<string, () => S3Error>> = {
  ObjectLockMode: () => noObjectLock(),
  ObjectLockRetainUntilDate: () => noObjectLock(),
  ObjectLockLegalHoldStatus: () => noObjectLock(),
  BypassGovernanceRetention: () => new S3Error('InvalidArgument', 'x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.'),
}

const noObjectLock = () => new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration')

/** The answer to a request with a member that its operation does not act on. */
export const refusalOf = (member: string): S3Error => refusals[member]?.() ?? new S3Error('NotImplemented', undefined, { Parameter: member })

const honoured = new WeakMap<AnyOperation, ReadonlySet<string>>()

/**
 * Refuses what the operation does not act on: a header that is silently dropped is a promise broken.
 * Query parameters of other operations are refused; names that are no S3 parameter are ignored, as AWS does.
 */
export function refuseUnhonoured(operation: AnyOperation, { present, unknownHeaders, unknownParameters }: ReadRequest<object>): void {
  let members = honoured.get(operation)
  if (members === undefined) {
    members = new Set<string>(operation.honours)
    honoured.set(operation, members)
  }
  for (const member of present) {
    if (members.has(member)) continue
    throw refusalOf(member)
  }
  const [parameter] = unknownParameters
  if (parameter !== undefined) throw new S3Error('InvalidArgument', `This operation does not accept ${parameter}`, { ArgumentName: parameter })
  const [header] = unknownHeaders
  if (header !== undefined) throw new S3Error('NotImplemented', undefined, { Header: header })
}

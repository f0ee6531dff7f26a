import { QueryError } from '../../wire/query-error.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html. Uses are not recorded: the answer is AWS's for a key that was not used. */
export const GetAccessKeyLastUsed: Operation<'GetAccessKeyLastUsed'> = {
  honours: ['AccessKeyId'],
  resource: () => '*',
  async run({ AccessKeyId = '' }, { identity, caller }) {
    const key = AccessKeyId.length <= 128 ? await identity.accessKeys.get(AccessKeyId) : undefined
    if (key?.accountName !== caller.account.name) throw new QueryError('AccessDenied', 'The access key is not one of this account.')
    return { UserName: key.userName ?? key.accountName, AccessKeyLastUsed: { LastUsedDate: undefined, ServiceName: 'N/A', Region: 'N/A' } }
  },
}

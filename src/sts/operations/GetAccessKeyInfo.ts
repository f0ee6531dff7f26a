import { requestContext } from '../../policy/request-context.ts'
import { QueryError } from '../../wire/query-error.ts'
import type { StsInput, StsOutput } from '../../wire/query-operations.ts'
import { signedBy, type Operation } from '../operation.ts'
import { refused } from '../trust.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html: the account of a long-term key. Errors: AccessDenied, ValidationError. */
export const GetAccessKeyInfo: Operation<StsInput<'GetAccessKeyInfo'>, StsOutput<'GetAccessKeyInfo'>> = {
  honours: ['AccessKeyId'],
  async run({ AccessKeyId = '' }, call) {
    const { principal } = signedBy(call)
    const context = requestContext({ principal, nowMs: call.nowMs, ...call.client, referer: undefined, resourceAccountId: principal.accountId }, () => undefined)
    const request = { principal, action: 'sts:GetAccessKeyInfo', resource: '*', resourceAccountId: principal.accountId, context }
    if ((await call.decider.decide(request, { ...principal.policies, resource: [] })).decision === 'deny') throw refused(principal, 'sts:GetAccessKeyInfo', undefined)
    const key = AccessKeyId.length <= 128 ? await call.identity.accessKeys.get(AccessKeyId) : undefined
    const account = key === undefined ? undefined : await call.identity.getAccount(key.accountName)
    if (account === undefined) throw new QueryError('ValidationError', 'The access key is not one of this server.')
    return { Account: account.accountId }
  },
}

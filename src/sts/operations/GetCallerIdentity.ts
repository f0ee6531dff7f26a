import type { StsInput, StsOutput } from '../../wire/query-operations.ts'
import { signedBy, type Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html. No policy can forbid it. */
export const GetCallerIdentity: Operation<StsInput<'GetCallerIdentity'>, StsOutput<'GetCallerIdentity'>> = {
  honours: [],
  async run(_input, call) {
    const { principal } = signedBy(call)
    return { UserId: principal.userId, Account: principal.accountId, Arn: principal.sessionArn ?? principal.arn }
  },
}

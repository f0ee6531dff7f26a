import { managedLimit } from '../documents.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html: counts to 1,000 each, and the quotas that hold here. */
export const GetAccountSummary: Operation<'GetAccountSummary'> = {
  honours: [],
  resource: () => '*',
  async run(_input, { iam }) {
    const count = async (kind: 'user' | 'group' | 'role' | 'policy' | 'provider'): Promise<number> => (await iam.list(kind, { limit: 1000 })).length
    const [Users, Groups, Roles, Policies, Providers] = await Promise.all([count('user'), count('group'), count('role'), count('policy'), count('provider')])
    return { SummaryMap: { Users, Groups, Roles, Policies, Providers, AccessKeysPerUserQuota: 2, GroupsPerUserQuota: 10, VersionsPerPolicyQuota: 5, PolicySizeQuota: managedLimit } }
  },
}

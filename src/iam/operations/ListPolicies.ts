import { builtInPolicies } from '../../identity/built-in-policies.ts'
import { QueryError } from '../../wire/query-error.ts'
import { attachmentsOf, customerPolicy } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { pageOf } from '../paging.ts'
import { builtInView, policyView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html. Those that every account has come as scope `AWS`, after the account's own. */
export const ListPolicies: Operation<'ListPolicies'> = {
  honours: ['Scope', 'OnlyAttached', 'PathPrefix', 'PolicyUsageFilter', 'Marker', 'MaxItems'],
  resource: ({ PathPrefix = '/' }) => `policy${PathPrefix}`,
  async run(input, { iam, accountId }) {
    const { Scope = 'All', OnlyAttached = false, PathPrefix = '/', PolicyUsageFilter = 'PermissionsPolicy' } = input
    if (PolicyUsageFilter !== 'PermissionsPolicy') throw new QueryError('NotImplemented', 'PolicyUsageFilter is only served for PermissionsPolicy.')
    const own = Scope === 'AWS' ? [] : await iam.list('policy', { limit: 5000 })
    const ours = Scope === 'Local' || PathPrefix !== '/' ? [] : [...builtInPolicies.values()]
    const views = await Promise.all([
      ...own.filter(({ path }) => path.startsWith(PathPrefix)).map(async policy => policyView(accountId, policy, await attachmentsOf(iam, customerPolicy(accountId, policy)), 'listed')),
      ...ours.map(async policy => builtInView(policy, await attachmentsOf(iam, policy.arn))),
    ])
    const { items, paging } = await pageOf(input, policy => policy.Arn ?? '', views.filter(policy => !OnlyAttached || (policy.AttachmentCount ?? 0) > 0))
    return { Policies: items, ...paging }
  },
}

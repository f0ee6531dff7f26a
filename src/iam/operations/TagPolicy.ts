import { changingPolicy, policyResource } from '../managed.ts'
import { checkTags, mergeTags } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html. Errors: NoSuchEntity, LimitExceeded. */
export const TagPolicy: Operation<'TagPolicy'> = {
  honours: ['PolicyArn', 'Tags'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, Tags }, { identity, accountId }) {
    const tags = checkTags(Tags)
    await identity.changeIam(accountId, changingPolicy(PolicyArn, policy => ({ ...policy, tags: mergeTags(policy.tags, tags) })))
    return {}
  },
}

import { changingPolicy, policyResource } from '../managed.ts'
import { untag } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html. Errors: NoSuchEntity. */
export const UntagPolicy: Operation<'UntagPolicy'> = {
  honours: ['PolicyArn', 'TagKeys'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, TagKeys = [] }, { identity, accountId }) {
    await identity.changeIam(accountId, changingPolicy(PolicyArn, policy => ({ ...policy, tags: untag(policy.tags, TagKeys) })))
    return {}
  },
}

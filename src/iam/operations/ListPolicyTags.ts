import { requirePolicy } from '../entities.ts'
import { policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { pageOf } from '../paging.ts'
import { tagsView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html. Errors: NoSuchEntity. */
export const ListPolicyTags: Operation<'ListPolicyTags'> = {
  honours: ['PolicyArn', 'Marker', 'MaxItems'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run(input, { iam }) {
    const { tags } = await requirePolicy(iam, input.PolicyArn)
    const { items, paging } = await pageOf(input, tag => tag.Key ?? '', tagsView(tags))
    return { Tags: items, ...paging }
  },
}

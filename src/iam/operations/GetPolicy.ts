import { requireAnyPolicy } from '../entities.ts'
import { attachmentsOf, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { builtInView, policyView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html. Errors: NoSuchEntity. */
export const GetPolicy: Operation<'GetPolicy'> = {
  honours: ['PolicyArn'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn = '' }, { iam, accountId }) {
    const any = await requireAnyPolicy(iam, PolicyArn)
    const attachments = await attachmentsOf(iam, PolicyArn)
    return { Policy: any.kind === 'builtIn' ? builtInView(any.policy, attachments) : policyView(accountId, any.policy, attachments, 'whole') }
  },
}

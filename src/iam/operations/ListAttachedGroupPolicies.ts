import { listAttached } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html. Errors: NoSuchEntity. */
export const ListAttachedGroupPolicies: Operation<'ListAttachedGroupPolicies'> = {
  honours: ['GroupName', 'PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: (input, call) => listAttached('group', input.GroupName, input, call),
}

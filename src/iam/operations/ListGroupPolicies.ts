import { listInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html: the names of its inline policies. Errors: NoSuchEntity. */
export const ListGroupPolicies: Operation<'ListGroupPolicies'> = {
  honours: ['GroupName', 'Marker', 'MaxItems'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: (input, call) => listInline('group', input.GroupName, input, call),
}

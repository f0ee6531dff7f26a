import { listInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html: the names of its inline policies. Errors: NoSuchEntity. */
export const ListUserPolicies: Operation<'ListUserPolicies'> = {
  honours: ['UserName', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: (input, call) => listInline('user', input.UserName, input, call),
}

import { listAttached } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html. Errors: NoSuchEntity. */
export const ListAttachedUserPolicies: Operation<'ListAttachedUserPolicies'> = {
  honours: ['UserName', 'PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: (input, call) => listAttached('user', input.UserName, input, call),
}

import { listAttached } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html. Errors: NoSuchEntity. */
export const ListAttachedRolePolicies: Operation<'ListAttachedRolePolicies'> = {
  honours: ['RoleName', 'PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: (input, call) => listAttached('role', input.RoleName, input, call),
}

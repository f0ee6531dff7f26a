import { listInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html: the names of its inline policies. Errors: NoSuchEntity. */
export const ListRolePolicies: Operation<'ListRolePolicies'> = {
  honours: ['RoleName', 'Marker', 'MaxItems'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: (input, call) => listInline('role', input.RoleName, input, call),
}

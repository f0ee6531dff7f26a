import { deleteInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html. Errors: NoSuchEntity. */
export const DeleteRolePolicy: Operation<'DeleteRolePolicy'> = {
  honours: ['RoleName', 'PolicyName'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: ({ RoleName, PolicyName }, call) => deleteInline('role', RoleName, PolicyName, call),
}

import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { roleView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html. Errors: NoSuchEntity. */
export const GetRole: Operation<'GetRole'> = {
  honours: ['RoleName'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: async ({ RoleName }, { iam, accountId }) => ({ Role: roleView(accountId, await requireEntity(iam, 'role', RoleName), 'whole') }),
}

import { changing } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html. Errors: NoSuchEntity. */
export const DeleteRolePermissionsBoundary: Operation<'DeleteRolePermissionsBoundary'> = {
  honours: ['RoleName'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('role', RoleName, ({ boundary: _boundary, ...role }) => role))
    return {}
  },
}

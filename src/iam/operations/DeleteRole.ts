import { refuseWithPolicies, requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html. Its sessions are over with it. Errors: NoSuchEntity, DeleteConflict. */
export const DeleteRole: Operation<'DeleteRole'> = {
  honours: ['RoleName'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName }, { identity, accountId }) {
    await identity.changeIam(accountId, async rows => {
      const role = await requireEntity(rows, 'role', RoleName)
      refuseWithPolicies(role)
      rows.delete('role', role.name)
    })
    return {}
  },
}

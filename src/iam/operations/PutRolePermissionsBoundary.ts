import { changing, requireAnyPolicy } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html. Errors: NoSuchEntity. */
export const PutRolePermissionsBoundary: Operation<'PutRolePermissionsBoundary'> = {
  honours: ['RoleName', 'PermissionsBoundary'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, PermissionsBoundary = '' }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('role', RoleName, async (role, rows) => {
      await requireAnyPolicy(rows, PermissionsBoundary)
      return { ...role, boundary: PermissionsBoundary }
    }))
    return {}
  },
}

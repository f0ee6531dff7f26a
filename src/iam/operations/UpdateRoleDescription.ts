import { changing } from '../entities.ts'
import { checkDescription } from '../names.ts'
import type { Operation } from '../operation.ts'
import { roleView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html. Errors: NoSuchEntity. */
export const UpdateRoleDescription: Operation<'UpdateRoleDescription'> = {
  honours: ['RoleName', 'Description'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, Description }, { identity, accountId }) {
    const description = checkDescription(Description)
    const role = await identity.changeIam(accountId, changing('role', RoleName, each => ({ ...each, description })))
    return { Role: roleView(accountId, role, 'whole') }
  },
}

import { changing } from '../entities.ts'
import { checkDescription, invalid } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html. Errors: NoSuchEntity. */
export const UpdateRole: Operation<'UpdateRole'> = {
  honours: ['RoleName', 'Description', 'MaxSessionDuration'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, Description, MaxSessionDuration }, { identity, accountId }) {
    if (MaxSessionDuration !== undefined && (MaxSessionDuration < 3600 || MaxSessionDuration > 43_200)) throw invalid('maxSessionDuration', 'Member must have value between 3600 and 43200')
    const description = Description === undefined ? undefined : checkDescription(Description)
    await identity.changeIam(accountId, changing('role', RoleName, role => ({
      ...role, description: description ?? role.description, maxSessionSeconds: MaxSessionDuration ?? role.maxSessionSeconds,
    })))
    return {}
  },
}

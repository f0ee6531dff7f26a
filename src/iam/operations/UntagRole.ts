import { changing } from '../entities.ts'
import { untag } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html. Errors: NoSuchEntity. */
export const UntagRole: Operation<'UntagRole'> = {
  honours: ['RoleName', 'TagKeys'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, TagKeys = [] }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('role', RoleName, role => ({ ...role, tags: untag(role.tags, TagKeys) })))
    return {}
  },
}

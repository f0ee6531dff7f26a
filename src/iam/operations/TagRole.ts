import { changing } from '../entities.ts'
import { checkTags, mergeTags } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html. Errors: NoSuchEntity, LimitExceeded. */
export const TagRole: Operation<'TagRole'> = {
  honours: ['RoleName', 'Tags'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, Tags }, { identity, accountId }) {
    const tags = checkTags(Tags)
    await identity.changeIam(accountId, changing('role', RoleName, role => ({ ...role, tags: mergeTags(role.tags, tags) })))
    return {}
  },
}

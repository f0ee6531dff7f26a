import { changing } from '../entities.ts'
import { checkTags, mergeTags } from '../names.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html. Errors: NoSuchEntity, LimitExceeded. */
export const TagUser: Operation<'TagUser'> = {
  honours: ['UserName', 'Tags'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, Tags }, { identity, accountId }) {
    const tags = checkTags(Tags)
    await identity.changeIam(accountId, changing('user', UserName, user => ({ ...user, tags: mergeTags(user.tags, tags) })))
    return {}
  },
}

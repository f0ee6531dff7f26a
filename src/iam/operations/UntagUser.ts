import { changing } from '../entities.ts'
import { untag } from '../names.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html. Errors: NoSuchEntity. */
export const UntagUser: Operation<'UntagUser'> = {
  honours: ['UserName', 'TagKeys'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, TagKeys = [] }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('user', UserName, user => ({ ...user, tags: untag(user.tags, TagKeys) })))
    return {}
  },
}

import { changing } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html. Errors: NoSuchEntity. */
export const DeleteUserPermissionsBoundary: Operation<'DeleteUserPermissionsBoundary'> = {
  honours: ['UserName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('user', UserName, ({ boundary: _boundary, ...user }) => user))
    return {}
  },
}

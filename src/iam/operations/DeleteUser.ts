import { QueryError } from '../../wire/query-error.ts'
import { refuseWithPolicies, requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html. Its sessions are over with it. Errors: NoSuchEntity, DeleteConflict. */
export const DeleteUser: Operation<'DeleteUser'> = {
  honours: ['UserName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }, { identity, accountId, caller }) {
    await identity.changeIam(accountId, async rows => {
      const user = await requireEntity(rows, 'user', UserName)
      refuseWithPolicies(user)
      if (user.groups.length > 0) throw new QueryError('DeleteConflict', 'Cannot delete entity, must remove users from group first.')
      const keys = await identity.accessKeys.list({ accountName: caller.account.name, accountId, userName: user.name }, { limit: 1 })
      if (keys.length > 0) throw new QueryError('DeleteConflict', 'Cannot delete entity, must delete access keys first.')
      rows.delete('user', user.name)
    })
    return {}
  },
}

import { QueryError } from '../../wire/query-error.ts'
import { changing, requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html. Errors: NoSuchEntity, LimitExceeded. */
export const AddUserToGroup: Operation<'AddUserToGroup'> = {
  honours: ['GroupName', 'UserName'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run({ GroupName, UserName }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('user', UserName, async (user, rows) => {
      const { name } = await requireEntity(rows, 'group', GroupName)
      const groups = [...new Set([...user.groups, name])]
      if (groups.length > 10) throw new QueryError('LimitExceeded', 'Cannot exceed quota for GroupsPerUser: 10')
      rows.addMember(`group/${name}`, user.name)
      return { ...user, groups }
    }))
    return {}
  },
}

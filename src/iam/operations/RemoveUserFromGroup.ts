import { changing, requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html. Errors: NoSuchEntity. */
export const RemoveUserFromGroup: Operation<'RemoveUserFromGroup'> = {
  honours: ['GroupName', 'UserName'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run({ GroupName, UserName }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('user', UserName, async (user, rows) => {
      const { name } = await requireEntity(rows, 'group', GroupName)
      rows.removeMember(`group/${name}`, user.name)
      return { ...user, groups: user.groups.filter(group => group !== name) }
    }))
    return {}
  },
}

import { QueryError } from '../../wire/query-error.ts'
import { refuseWithPolicies, requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html. Errors: NoSuchEntity, DeleteConflict. */
export const DeleteGroup: Operation<'DeleteGroup'> = {
  honours: ['GroupName'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run({ GroupName }, { identity, accountId }) {
    await identity.changeIam(accountId, async rows => {
      const group = await requireEntity(rows, 'group', GroupName)
      refuseWithPolicies(group)
      if ((await rows.members(`group/${group.name}`, { limit: 1 })).length > 0) throw new QueryError('DeleteConflict', 'Cannot delete entity, must remove users from group first.')
      rows.delete('group', group.name)
    })
    return {}
  },
}

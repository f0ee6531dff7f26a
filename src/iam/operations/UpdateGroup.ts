import { QueryError } from '../../wire/query-error.ts'
import { requireEntity, requireFree } from '../entities.ts'
import { checkName, checkPath } from '../names.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html: its path. A group with members keeps its name. Errors: NoSuchEntity, EntityAlreadyExists, DeleteConflict. */
export const UpdateGroup: Operation<'UpdateGroup'> = {
  honours: ['GroupName', 'NewGroupName', 'NewPath'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run({ GroupName, NewGroupName, NewPath }, { identity, accountId }) {
    const newName = NewGroupName === undefined ? undefined : checkName('newGroupName', NewGroupName, 128)
    const newPath = NewPath === undefined ? undefined : checkPath(NewPath)
    await identity.changeIam(accountId, async rows => {
      const group = await requireEntity(rows, 'group', GroupName)
      const name = newName ?? group.name
      if (name !== group.name) {
        if (name.toLowerCase() !== group.name.toLowerCase()) await requireFree(rows, 'group', name)
        if ((await rows.members(`group/${group.name}`, { limit: 1 })).length > 0) throw new QueryError('DeleteConflict', 'A group with users keeps its name: remove them first.')
        for (const arn of group.attached) rows.removeMember(`attachment/${arn}`, `group/${group.name}`)
        for (const arn of group.attached) rows.addMember(`attachment/${arn}`, `group/${name}`)
        rows.delete('group', group.name)
      }
      rows.put('group', { ...group, name, path: newPath ?? group.path })
    })
    return {}
  },
}

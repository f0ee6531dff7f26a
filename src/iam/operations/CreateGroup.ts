import type { GroupRecord } from '../../identity/iam-records.ts'
import { requireFree } from '../entities.ts'
import { checkName, checkPath } from '../names.ts'
import type { Operation } from '../operation.ts'
import { groupView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html. Errors: EntityAlreadyExists. */
export const CreateGroup: Operation<'CreateGroup'> = {
  honours: ['GroupName', 'Path'],
  resource: ({ Path = '/', GroupName }) => `group${Path}${GroupName ?? ''}`,
  async run({ GroupName = '', Path }, { identity, accountId, nowMs }) {
    const name = checkName('groupName', GroupName, 128)
    const path = checkPath(Path)
    const group = await identity.changeIam(accountId, async rows => {
      await requireFree(rows, 'group', name)
      const created: GroupRecord = { name, path, id: rows.newId('group'), createdAtMs: nowMs, attached: [], inline: {} }
      rows.put('group', created)
      return created
    })
    return { Group: groupView(accountId, group) }
  },
}

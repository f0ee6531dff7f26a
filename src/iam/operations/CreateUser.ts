import type { UserRecord } from '../../identity/iam-records.ts'
import { requireAnyPolicy, requireFree } from '../entities.ts'
import { checkName, checkPath, checkTags } from '../names.ts'
import type { Operation } from '../operation.ts'
import { userView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html. Errors: EntityAlreadyExists, NoSuchEntity (the boundary), ValidationError. */
export const CreateUser: Operation<'CreateUser'> = {
  honours: ['UserName', 'Path', 'Tags', 'PermissionsBoundary'],
  resource: ({ Path = '/', UserName }) => `user${Path}${UserName ?? ''}`,
  async run({ UserName = '', Path, Tags, PermissionsBoundary }, { identity, accountId, nowMs }) {
    const name = checkName('userName', UserName, 64)
    const path = checkPath(Path)
    const tags = checkTags(Tags)
    const user = await identity.changeIam(accountId, async rows => {
      await requireFree(rows, 'user', name)
      if (PermissionsBoundary !== undefined) await requireAnyPolicy(rows, PermissionsBoundary)
      const boundary = PermissionsBoundary === undefined ? {} : { boundary: PermissionsBoundary }
      const created: UserRecord = { name, path, id: rows.newId('user'), createdAtMs: nowMs, tags, attached: [], inline: {}, groups: [], ...boundary }
      rows.put('user', created)
      return created
    })
    return { User: userView(accountId, user, 'whole') }
  },
}

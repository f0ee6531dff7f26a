import { requireEntity, requireFree } from '../entities.ts'
import { checkName, checkPath } from '../names.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html. Errors: NoSuchEntity, EntityAlreadyExists. */
export const UpdateUser: Operation<'UpdateUser'> = {
  honours: ['UserName', 'NewUserName', 'NewPath'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, NewUserName, NewPath }, { identity, accountId, caller }) {
    const newName = NewUserName === undefined ? undefined : checkName('newUserName', NewUserName, 64)
    const newPath = NewPath === undefined ? undefined : checkPath(NewPath)
    await identity.changeIam(accountId, async rows => {
      const user = await requireEntity(rows, 'user', UserName)
      const name = newName ?? user.name
      if (name.toLowerCase() !== user.name.toLowerCase()) await requireFree(rows, 'user', name)
      if (name !== user.name) {
        for (const group of user.groups) rows.removeMember(`group/${group}`, user.name)
        for (const group of user.groups) rows.addMember(`group/${group}`, name)
        for (const arn of user.attached) rows.removeMember(`attachment/${arn}`, `user/${user.name}`)
        for (const arn of user.attached) rows.addMember(`attachment/${arn}`, `user/${name}`)
        await identity.accessKeys.moveKeys(rows.extensions, { accountName: caller.account.name, accountId, userName: user.name }, name)
        rows.delete('user', user.name)
      }
      rows.put('user', { ...user, name, path: newPath ?? user.path })
    })
    return {}
  },
}

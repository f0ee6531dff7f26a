import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { ownUser, userResource } from '../owners.ts'
import { userView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html. Without a name: the caller. Errors: NoSuchEntity. */
export const GetUser: Operation<'GetUser'> = {
  honours: ['UserName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }, call) {
    const { accountId, iam, caller } = call
    const name = await ownUser(UserName, call)
    if (name !== undefined) return { User: userView(accountId, await requireEntity(iam, 'user', name), 'whole') }
    return { User: { Path: '/', UserName: caller.account.name, UserId: accountId, Arn: caller.principal.arn, CreateDate: new Date(0) } }
  },
}

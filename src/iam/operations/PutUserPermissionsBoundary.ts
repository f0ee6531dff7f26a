import { changing, requireAnyPolicy } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html. Errors: NoSuchEntity. */
export const PutUserPermissionsBoundary: Operation<'PutUserPermissionsBoundary'> = {
  honours: ['UserName', 'PermissionsBoundary'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, PermissionsBoundary = '' }, { identity, accountId }) {
    await identity.changeIam(accountId, changing('user', UserName, async (user, rows) => {
      await requireAnyPolicy(rows, PermissionsBoundary)
      return { ...user, boundary: PermissionsBoundary }
    }))
    return {}
  },
}

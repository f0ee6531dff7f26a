import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'
import { pageOf } from '../paging.ts'
import { groupView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html. Errors: NoSuchEntity. */
export const ListGroupsForUser: Operation<'ListGroupsForUser'> = {
  honours: ['UserName', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run(input, { iam, accountId }) {
    const user = await requireEntity(iam, 'user', input.UserName)
    const groups = (await Promise.all(user.groups.map(name => iam.get('group', name)))).filter(group => group !== undefined)
    const { items, paging } = await pageOf(input, group => group.name, groups)
    return { Groups: items.map(group => groupView(accountId, group)), ...paging }
  },
}

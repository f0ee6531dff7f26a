import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { page } from '../paging.ts'
import { groupView, userView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html: the group and a page of its users. Errors: NoSuchEntity. */
export const GetGroup: Operation<'GetGroup'> = {
  honours: ['GroupName', 'Marker', 'MaxItems'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run(input, { iam, accountId }) {
    const group = await requireEntity(iam, 'group', input.GroupName)
    const { items, paging } = await page(input, range => iam.members(`group/${group.name}`, range), name => name)
    const users = await Promise.all(items.map(name => iam.get('user', name)))
    return { Group: groupView(accountId, group), Users: users.filter(user => user !== undefined).map(user => userView(accountId, user, 'listed')), ...paging }
  },
}

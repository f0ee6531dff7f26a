import type { Operation } from '../operation.ts'
import { page } from '../paging.ts'
import { userView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html */
export const ListUsers: Operation<'ListUsers'> = {
  honours: ['PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ PathPrefix = '/' }) => `user${PathPrefix}`,
  async run(input, { iam, accountId }) {
    const { PathPrefix = '/' } = input
    const { items, paging } = await page(input, range => iam.list('user', range), user => user.name, user => user.path.startsWith(PathPrefix))
    return { Users: items.map(user => userView(accountId, user, 'listed')), ...paging }
  },
}

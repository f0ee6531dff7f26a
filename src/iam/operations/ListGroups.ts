import type { Operation } from '../operation.ts'
import { page } from '../paging.ts'
import { groupView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html */
export const ListGroups: Operation<'ListGroups'> = {
  honours: ['PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ PathPrefix = '/' }) => `group${PathPrefix}`,
  async run(input, { iam, accountId }) {
    const { PathPrefix = '/' } = input
    const { items, paging } = await page(input, range => iam.list('group', range), group => group.name, group => group.path.startsWith(PathPrefix))
    return { Groups: items.map(group => groupView(accountId, group)), ...paging }
  },
}

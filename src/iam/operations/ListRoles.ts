import type { Operation } from '../operation.ts'
import { page } from '../paging.ts'
import { roleView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
export const ListRoles: Operation<'ListRoles'> = {
  honours: ['PathPrefix', 'Marker', 'MaxItems'],
  resource: ({ PathPrefix = '/' }) => `role${PathPrefix}`,
  async run(input, { iam, accountId }) {
    const { PathPrefix = '/' } = input
    const { items, paging } = await page(input, range => iam.list('role', range), role => role.name, role => role.path.startsWith(PathPrefix))
    return { Roles: items.map(role => roleView(accountId, role, 'listed')), ...paging }
  },
}

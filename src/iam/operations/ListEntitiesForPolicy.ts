import { requireAnyPolicy } from '../entities.ts'
import { entitiesOf, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { page } from '../paging.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html. Errors: NoSuchEntity. */
export const ListEntitiesForPolicy: Operation<'ListEntitiesForPolicy'> = {
  honours: ['PolicyArn', 'EntityFilter', 'Marker', 'MaxItems'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run(input, { iam }) {
    const { PolicyArn = '', EntityFilter } = input
    await requireAnyPolicy(iam, PolicyArn)
    const { items, paging } = await page(input, range => entitiesOf(iam, PolicyArn, range), name => name)
    const named = (kind: 'user' | 'group' | 'role', filter: string): string[] =>
      EntityFilter !== undefined && EntityFilter !== filter ? [] : items.filter(name => name.startsWith(`${kind}/`)).map(name => name.slice(kind.length + 1))
    const [users, groups, roles] = await Promise.all([
      Promise.all(named('user', 'User').map(name => iam.get('user', name))),
      Promise.all(named('group', 'Group').map(name => iam.get('group', name))),
      Promise.all(named('role', 'Role').map(name => iam.get('role', name))),
    ])
    return {
      PolicyUsers: users.filter(user => user !== undefined).map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyGroups: groups.filter(group => group !== undefined).map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyRoles: roles.filter(role => role !== undefined).map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...paging,
    }
  },
}

import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { pageOf } from '../paging.ts'
import { tagsView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html. Errors: NoSuchEntity. */
export const ListRoleTags: Operation<'ListRoleTags'> = {
  honours: ['RoleName', 'Marker', 'MaxItems'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run(input, { iam }) {
    const { tags } = await requireEntity(iam, 'role', input.RoleName)
    const { items, paging } = await pageOf(input, tag => tag.Key ?? '', tagsView(tags))
    return { Tags: items, ...paging }
  },
}

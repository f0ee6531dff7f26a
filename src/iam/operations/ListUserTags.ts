import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'
import { pageOf } from '../paging.ts'
import { tagsView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html. Errors: NoSuchEntity. */
export const ListUserTags: Operation<'ListUserTags'> = {
  honours: ['UserName', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run(input, { iam }) {
    const { tags } = await requireEntity(iam, 'user', input.UserName)
    const { items, paging } = await pageOf(input, tag => tag.Key ?? '', tagsView(tags))
    return { Tags: items, ...paging }
  },
}

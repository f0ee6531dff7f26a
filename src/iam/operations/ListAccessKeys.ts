import type { Operation } from '../operation.ts'
import { keyOwner, userResource } from '../owners.ts'
import { page } from '../paging.ts'
import { accessKeyView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html. Errors: NoSuchEntity. */
export const ListAccessKeys: Operation<'ListAccessKeys'> = {
  honours: ['UserName', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run(input, call) {
    const owner = await keyOwner(input.UserName, call)
    const { items, paging } = await page(input, range => call.identity.accessKeys.list(owner, range), key => key.accessKeyId)
    return { AccessKeyMetadata: items.map(accessKeyView), ...paging }
  },
}

import type { Operation } from '../operation.ts'
import { keyOwner, userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html. Sessions that it made are over with it. Errors: NoSuchEntity. */
export const DeleteAccessKey: Operation<'DeleteAccessKey'> = {
  honours: ['UserName', 'AccessKeyId'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, AccessKeyId = '' }, call) {
    await call.identity.accessKeys.delete(await keyOwner(UserName, call), AccessKeyId)
    return {}
  },
}

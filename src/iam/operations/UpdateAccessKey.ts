import { invalid } from '../names.ts'
import type { Operation } from '../operation.ts'
import { keyOwner, userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html. Holds for the next request. Errors: NoSuchEntity. */
export const UpdateAccessKey: Operation<'UpdateAccessKey'> = {
  honours: ['UserName', 'AccessKeyId', 'Status'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, AccessKeyId = '', Status }, call) {
    if (Status !== 'Active' && Status !== 'Inactive') throw invalid('status', 'Member must satisfy enum value set: [Active, Inactive]')
    await call.identity.accessKeys.change(await keyOwner(UserName, call), AccessKeyId, { status: Status })
    return {}
  },
}

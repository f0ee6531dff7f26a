import type { Operation } from '../operation.ts'
import { keyOwner, userResource } from '../owners.ts'
import { accessKeyView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html. The secret is shown in this answer alone. Errors: NoSuchEntity, LimitExceeded. */
export const CreateAccessKey: Operation<'CreateAccessKey'> = {
  honours: ['UserName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }, call) {
    const owner = await keyOwner(UserName, call)
    const key = await call.identity.accessKeys.create({ owner, limit: 2 })
    const { UserName: name = call.caller.account.name, ...shown } = accessKeyView(key)
    return { AccessKey: { UserName: name, AccessKeyId: key.accessKeyId, Status: key.status, SecretAccessKey: key.secretAccessKey, CreateDate: shown.CreateDate } }
  },
}

import { getInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html. Errors: NoSuchEntity. */
export const GetUserPolicy: Operation<'GetUserPolicy'> = {
  honours: ['UserName', 'PolicyName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName, PolicyName }, call) {
    const { entity, ...policy } = await getInline('user', UserName, PolicyName, call)
    return { UserName: entity, ...policy }
  },
}

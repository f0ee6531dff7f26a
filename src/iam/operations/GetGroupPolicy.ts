import { getInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html. Errors: NoSuchEntity. */
export const GetGroupPolicy: Operation<'GetGroupPolicy'> = {
  honours: ['GroupName', 'PolicyName'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  async run({ GroupName, PolicyName }, call) {
    const { entity, ...policy } = await getInline('group', GroupName, PolicyName, call)
    return { GroupName: entity, ...policy }
  },
}

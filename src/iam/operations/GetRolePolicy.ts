import { getInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html. Errors: NoSuchEntity. */
export const GetRolePolicy: Operation<'GetRolePolicy'> = {
  honours: ['RoleName', 'PolicyName'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, PolicyName }, call) {
    const { entity, ...policy } = await getInline('role', RoleName, PolicyName, call)
    return { RoleName: entity, ...policy }
  },
}

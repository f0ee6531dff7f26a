import { putInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html. Errors: NoSuchEntity, MalformedPolicyDocument, LimitExceeded. */
export const PutRolePolicy: Operation<'PutRolePolicy'> = {
  honours: ['RoleName', 'PolicyName', 'PolicyDocument'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: (input, call) => putInline('role', input.RoleName, input, call),
}

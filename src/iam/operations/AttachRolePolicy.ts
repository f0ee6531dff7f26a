import { attach } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html. Errors: NoSuchEntity, LimitExceeded. */
export const AttachRolePolicy: Operation<'AttachRolePolicy'> = {
  honours: ['RoleName', 'PolicyArn'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: ({ RoleName, PolicyArn }, call) => attach('role', RoleName, PolicyArn, call),
}

import { detach } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html. Errors: NoSuchEntity. */
export const DetachRolePolicy: Operation<'DetachRolePolicy'> = {
  honours: ['RoleName', 'PolicyArn'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  run: ({ RoleName, PolicyArn }, call) => detach('role', RoleName, PolicyArn, call),
}

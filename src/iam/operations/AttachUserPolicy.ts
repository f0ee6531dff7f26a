import { attach } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html. Errors: NoSuchEntity, LimitExceeded. */
export const AttachUserPolicy: Operation<'AttachUserPolicy'> = {
  honours: ['UserName', 'PolicyArn'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: ({ UserName, PolicyArn }, call) => attach('user', UserName, PolicyArn, call),
}

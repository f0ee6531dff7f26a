import { detach } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html. Errors: NoSuchEntity. */
export const DetachUserPolicy: Operation<'DetachUserPolicy'> = {
  honours: ['UserName', 'PolicyArn'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: ({ UserName, PolicyArn }, call) => detach('user', UserName, PolicyArn, call),
}

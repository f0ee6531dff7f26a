import { putInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html. Errors: NoSuchEntity, MalformedPolicyDocument, LimitExceeded. */
export const PutUserPolicy: Operation<'PutUserPolicy'> = {
  honours: ['UserName', 'PolicyName', 'PolicyDocument'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: (input, call) => putInline('user', input.UserName, input, call),
}

import { putInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html. Errors: NoSuchEntity, MalformedPolicyDocument, LimitExceeded. */
export const PutGroupPolicy: Operation<'PutGroupPolicy'> = {
  honours: ['GroupName', 'PolicyName', 'PolicyDocument'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: (input, call) => putInline('group', input.GroupName, input, call),
}

import { attach } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html. Errors: NoSuchEntity, LimitExceeded. */
export const AttachGroupPolicy: Operation<'AttachGroupPolicy'> = {
  honours: ['GroupName', 'PolicyArn'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: ({ GroupName, PolicyArn }, call) => attach('group', GroupName, PolicyArn, call),
}

import { detach } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html. Errors: NoSuchEntity. */
export const DetachGroupPolicy: Operation<'DetachGroupPolicy'> = {
  honours: ['GroupName', 'PolicyArn'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: ({ GroupName, PolicyArn }, call) => detach('group', GroupName, PolicyArn, call),
}

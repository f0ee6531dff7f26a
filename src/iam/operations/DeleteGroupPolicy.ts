import { deleteInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html. Errors: NoSuchEntity. */
export const DeleteGroupPolicy: Operation<'DeleteGroupPolicy'> = {
  honours: ['GroupName', 'PolicyName'],
  resource: ({ GroupName }) => `group/${GroupName ?? ''}`,
  run: ({ GroupName, PolicyName }, call) => deleteInline('group', GroupName, PolicyName, call),
}

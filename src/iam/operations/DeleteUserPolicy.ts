import { deleteInline } from '../grantees.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html. Errors: NoSuchEntity. */
export const DeleteUserPolicy: Operation<'DeleteUserPolicy'> = {
  honours: ['UserName', 'PolicyName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  run: ({ UserName, PolicyName }, call) => deleteInline('user', UserName, PolicyName, call),
}

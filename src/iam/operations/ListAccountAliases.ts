import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html: the account's name. */
export const ListAccountAliases: Operation<'ListAccountAliases'> = {
  honours: ['Marker', 'MaxItems'],
  resource: () => '*',
  run: async (_input, { caller }) => ({ AccountAliases: [caller.account.name], IsTruncated: false }),
}

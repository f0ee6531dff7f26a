import { QueryError } from '../../wire/query-error.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html: users have no passwords here. Errors: NoSuchEntity. */
export const GetLoginProfile: Operation<'GetLoginProfile'> = {
  honours: ['UserName'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }) {
    throw new QueryError('NoSuchEntity', `Login Profile for User ${UserName ?? ''} cannot be found.`)
  },
}

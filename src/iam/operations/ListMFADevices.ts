import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'
import { userResource } from '../owners.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html: there are none here, and tools ask before they delete. Errors: NoSuchEntity. */
export const ListMFADevices: Operation<'ListMFADevices'> = {
  honours: ['UserName', 'Marker', 'MaxItems'],
  resource: ({ UserName }, call) => userResource(UserName, call),
  async run({ UserName }, { iam }) {
    if (UserName !== undefined) await requireEntity(iam, 'user', UserName)
    return { MFADevices: [], IsTruncated: false }
  },
}

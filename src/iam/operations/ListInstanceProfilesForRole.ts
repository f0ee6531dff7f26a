import { requireEntity } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html: there are none here, and tools ask before they delete. Errors: NoSuchEntity. */
export const ListInstanceProfilesForRole: Operation<'ListInstanceProfilesForRole'> = {
  honours: ['RoleName', 'Marker', 'MaxItems'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName }, { iam }) {
    await requireEntity(iam, 'role', RoleName)
    return { InstanceProfiles: [], IsTruncated: false }
  },
}

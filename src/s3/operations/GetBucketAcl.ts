import type { GetBucketAclOutput, GetBucketAclRequest } from '@aws-sdk/client-s3'
import { aclOutput, privateAcl } from '../acl.ts'
import type { Operation } from '../operation.ts'

/** GetBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html. An owner-enforced bucket has the owner's grant alone. */
export const GetBucketAcl: Operation<GetBucketAclRequest, GetBucketAclOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucketRow: row, service }) {
    const { isOwnerEnforced, acl } = await service.authorizer.accessOf(row)
    return aclOutput(service.ownerOf(row.ownerId), isOwnerEnforced || acl === undefined ? privateAcl(row.ownerId) : acl)
  },
}

import type { GetBucketAclOutput, GetBucketAclRequest } from '@aws-sdk/client-s3'
import { ownerGrant } from '../acl.ts'
import type { Operation } from '../operation.ts'

/** GetBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html. An owner-enforced bucket has the owner's grant alone. */
export const GetBucketAcl: Operation<GetBucketAclRequest, GetBucketAclOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run: ({ bucketRow, service }) => Promise.resolve(ownerGrant(service.ownerOf(bucketRow.ownerId))),
}

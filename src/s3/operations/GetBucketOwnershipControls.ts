import type { GetBucketOwnershipControlsOutput, GetBucketOwnershipControlsRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** GetBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html. Every bucket is owner-enforced. */
export const GetBucketOwnershipControls: Operation<GetBucketOwnershipControlsRequest, GetBucketOwnershipControlsOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run: () => Promise.resolve({ OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }),
}

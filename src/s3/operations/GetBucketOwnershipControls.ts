import type { GetBucketOwnershipControlsOutput, GetBucketOwnershipControlsRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** GetBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html. Errors: OwnershipControlsNotFoundError. */
export const GetBucketOwnershipControls: Operation<GetBucketOwnershipControlsRequest, GetBucketOwnershipControlsOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, bucketRow, service }) {
    const { ownershipControls } = await service.authorizer.accessOf(bucketRow)
    if (ownershipControls === undefined) throw new S3Error('OwnershipControlsNotFoundError', undefined, { BucketName: bucket })
    return { OwnershipControls: { Rules: [{ ObjectOwnership: ownershipControls }] } }
  },
}

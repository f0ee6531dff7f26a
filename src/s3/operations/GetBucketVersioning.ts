import type { GetBucketVersioningOutput, GetBucketVersioningRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** GetBucketVersioning: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html. No status before the first change. */
export const GetBucketVersioning: Operation<GetBucketVersioningRequest, GetBucketVersioningOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run({ bucketRow: { versioning } }) {
    return Promise.resolve(versioning === 'Unversioned' ? {} : { Status: versioning })
  },
}

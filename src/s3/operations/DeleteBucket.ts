import type { DeleteBucketRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** DeleteBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html. Commit point: `engine.deleteBucket`. Errors: BucketNotEmpty. */
export const DeleteBucket: Operation<DeleteBucketRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    await service.engine.deleteBucket(bucket)
    return {}
  },
}

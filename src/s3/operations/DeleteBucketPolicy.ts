import type { DeleteBucketPolicyRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** DeleteBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html */
export const DeleteBucketPolicy: Operation<DeleteBucketPolicyRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    await service.engine.deleteBucketDocument(bucket, 'policy')
    return {}
  },
}

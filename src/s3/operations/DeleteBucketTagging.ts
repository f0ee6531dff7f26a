import type { DeleteBucketTaggingRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** DeleteBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html */
export const DeleteBucketTagging: Operation<DeleteBucketTaggingRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    await service.engine.deleteBucketDocument(bucket, 'tagging')
    return {}
  },
}

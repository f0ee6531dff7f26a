import type { DeleteBucketCorsRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** DeleteBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html */
export const DeleteBucketCors: Operation<DeleteBucketCorsRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    await service.engine.deleteBucketDocument(bucket, 'cors')
    return {}
  },
}

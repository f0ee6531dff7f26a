import type { DeleteBucketWebsiteRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** DeleteBucketWebsite: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketWebsite.html */
export const DeleteBucketWebsite: Operation<DeleteBucketWebsiteRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    await service.engine.deleteBucketDocument(bucket, 'website')
    return {}
  },
}

import type { DeletePublicAccessBlockRequest } from '@aws-sdk/client-s3'
import { encodeDocument } from '../bucket-documents.ts'
import type { StoredPublicAccessBlock } from '../bucket-access.ts'
import type { Operation } from '../operation.ts'

/** DeletePublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html. From then on the bucket itself blocks nothing. */
export const DeletePublicAccessBlock: Operation<DeletePublicAccessBlockRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    const stored: StoredPublicAccessBlock = {}
    await service.engine.putBucketDocument(bucket, 'publicAccessBlock', encodeDocument(stored))
    return {}
  },
}

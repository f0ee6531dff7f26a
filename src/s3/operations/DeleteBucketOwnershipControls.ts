import type { DeleteBucketOwnershipControlsRequest } from '@aws-sdk/client-s3'
import { encodeDocument } from '../bucket-documents.ts'
import type { StoredOwnership } from '../bucket-access.ts'
import type { Operation } from '../operation.ts'

/** DeleteBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html. From then on it is as ObjectWriter. */
export const DeleteBucketOwnershipControls: Operation<DeleteBucketOwnershipControlsRequest, object> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    const stored: StoredOwnership = {}
    await service.engine.putBucketDocument(bucket, 'ownershipControls', encodeDocument(stored))
    return {}
  },
}

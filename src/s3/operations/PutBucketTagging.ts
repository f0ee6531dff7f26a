import type { PutBucketTaggingRequest } from '@aws-sdk/client-s3'
import { encodeDocument } from '../bucket-documents.ts'
import { bucketTagLimit, tagSetOf, tagsOf } from '../tags.ts'
import type { Operation } from '../operation.ts'

/** PutBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html. Commit point: the document's commit. */
export const PutBucketTagging: Operation<PutBucketTaggingRequest, object> = {
  honours: ['Bucket', 'Tagging', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const tags = tagsOf(input.Tagging?.TagSet ?? [], bucketTagLimit)
    await service.engine.putBucketDocument(bucket, 'tagging', encodeDocument({ TagSet: tagSetOf(tags) }))
    return { $status: 204 }
  },
}

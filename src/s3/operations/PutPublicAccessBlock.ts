import type { PutPublicAccessBlockRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { encodeDocument } from '../bucket-documents.ts'
import type { PublicAccessBlock, StoredPublicAccessBlock } from '../bucket-access.ts'
import type { Operation } from '../operation.ts'

/** PutPublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html. What is not named is off. Commit point: the document's commit. */
export const PutPublicAccessBlock: Operation<PutPublicAccessBlockRequest, object> = {
  honours: ['Bucket', 'PublicAccessBlockConfiguration', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const wanted = input.PublicAccessBlockConfiguration
    if (wanted === undefined) throw new S3Error('MalformedXML')
    const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = wanted
    const block: PublicAccessBlock = { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets }
    const stored: StoredPublicAccessBlock = { block }
    await service.engine.putBucketDocument(bucket, 'publicAccessBlock', encodeDocument(stored))
    return {}
  },
}

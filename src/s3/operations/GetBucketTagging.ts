import type { GetBucketTaggingOutput, GetBucketTaggingRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { decodeDocument } from '../bucket-documents.ts'
import type { Operation } from '../operation.ts'

/** GetBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html. Errors: NoSuchTagSet. */
export const GetBucketTagging: Operation<GetBucketTaggingRequest, GetBucketTaggingOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    const stored = await service.engine.getBucketDocument(bucket, 'tagging')
    if (stored === undefined) throw new S3Error('NoSuchTagSet', undefined, { BucketName: bucket })
    return decodeDocument<GetBucketTaggingOutput>(stored)
  },
}

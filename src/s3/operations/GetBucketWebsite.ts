import type { GetBucketWebsiteOutput, GetBucketWebsiteRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { decodeDocument } from '../bucket-documents.ts'
import type { Operation } from '../operation.ts'

/** GetBucketWebsite: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html. Errors: NoSuchWebsiteConfiguration. */
export const GetBucketWebsite: Operation<GetBucketWebsiteRequest, GetBucketWebsiteOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    const stored = await service.engine.getBucketDocument(bucket, 'website')
    if (stored === undefined) throw new S3Error('NoSuchWebsiteConfiguration', undefined, { BucketName: bucket })
    return decodeDocument<GetBucketWebsiteOutput>(stored)
  },
}

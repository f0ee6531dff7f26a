import type { PutBucketWebsiteRequest } from '@aws-sdk/client-s3'
import { encodeDocument } from '../bucket-documents.ts'
import { refuseInvalidWebsite } from '../website.ts'
import type { Operation } from '../operation.ts'

/** PutBucketWebsite: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html. Errors: InvalidArgument, InvalidRequest, MalformedXML. */
export const PutBucketWebsite: Operation<PutBucketWebsiteRequest, object> = {
  honours: ['Bucket', 'WebsiteConfiguration', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const website = input.WebsiteConfiguration ?? {}
    refuseInvalidWebsite(website)
    await service.engine.putBucketDocument(bucket, 'website', encodeDocument(website))
    return {}
  },
}

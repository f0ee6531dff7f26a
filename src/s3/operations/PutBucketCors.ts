import type { PutBucketCorsRequest } from '@aws-sdk/client-s3'
import { encodeDocument } from '../bucket-documents.ts'
import { refuseInvalidCors } from '../cors.ts'
import type { Operation } from '../operation.ts'

/** PutBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html. Errors: MalformedXML, InvalidRequest. */
export const PutBucketCors: Operation<PutBucketCorsRequest, object> = {
  honours: ['Bucket', 'CORSConfiguration', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const rules = input.CORSConfiguration?.CORSRules ?? []
    refuseInvalidCors(rules)
    await service.engine.putBucketDocument(bucket, 'cors', encodeDocument({ CORSRules: rules }))
    return {}
  },
}

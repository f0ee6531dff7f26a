import type { GetBucketCorsOutput, GetBucketCorsRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { decodeDocument } from '../bucket-documents.ts'
import type { Operation } from '../operation.ts'

/** GetBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html. Errors: NoSuchCORSConfiguration. */
export const GetBucketCors: Operation<GetBucketCorsRequest, GetBucketCorsOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, service }) {
    const stored = await service.engine.getBucketDocument(bucket, 'cors')
    if (stored === undefined) throw new S3Error('NoSuchCORSConfiguration', undefined, { BucketName: bucket })
    return decodeDocument<GetBucketCorsOutput>(stored)
  },
}

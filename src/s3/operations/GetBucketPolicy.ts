import type { GetBucketPolicyOutput, GetBucketPolicyRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** GetBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html. The document as it was put. Errors: NoSuchBucketPolicy. */
export const GetBucketPolicy: Operation<GetBucketPolicyRequest, GetBucketPolicyOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, bucketRow, service }) {
    const { policy } = await service.authorizer.accessOf(bucketRow)
    if (policy === undefined) throw new S3Error('NoSuchBucketPolicy', undefined, { BucketName: bucket })
    return { Policy: policy.text }
  },
}

import type { GetBucketPolicyStatusOutput, GetBucketPolicyStatusRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** GetBucketPolicyStatus: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html. Errors: NoSuchBucketPolicy. */
export const GetBucketPolicyStatus: Operation<GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, bucketRow, service }) {
    const { policy } = await service.authorizer.accessOf(bucketRow)
    if (policy === undefined) throw new S3Error('NoSuchBucketPolicy', undefined, { BucketName: bucket })
    return { PolicyStatus: { IsPublic: policy.isPublic } }
  },
}

import type { PutBucketPolicyRequest } from '@aws-sdk/client-s3'
import { isPublicPolicy } from '../../policy/public-policy.ts'
import { S3Error } from '../../wire/errors.ts'
import { compileBucketPolicy } from '../bucket-policy.ts'
import type { Operation } from '../operation.ts'

/**
 * PutBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 *
 * Commit point: the document's commit; it holds for every request that begins after the answer, on every worker.
 * Errors: MalformedPolicy (with the position), AccessDenied (a public policy, and those are blocked).
 */
export const PutBucketPolicy: Operation<PutBucketPolicyRequest, object> = {
  honours: ['Bucket', 'Policy', 'ContentMD5', 'ChecksumAlgorithm', 'ConfirmRemoveSelfBucketAccess', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, bucketRow, service }) {
    const text = input.Policy ?? ''
    const policy = compileBucketPolicy(bucket, text)
    if (isPublicPolicy(policy) && (await service.authorizer.blockOf(bucketRow)).BlockPublicPolicy) {
      throw new S3Error('AccessDenied', 'The policy makes the bucket public, and public policies are blocked by its Block Public Access settings.')
    }
    await service.engine.putBucketDocument(bucket, 'policy', Buffer.from(text, 'utf8'))
    return { $status: 204 }
  },
}

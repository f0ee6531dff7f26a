import type { PutBucketAclRequest } from '@aws-sdk/client-s3'
import { aclMembers, refuseAcl } from '../acl.ts'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** PutBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html. An owner-enforced bucket takes what changes nothing, and refuses the rest. */
export const PutBucketAcl: Operation<PutBucketAclRequest, object> = {
  honours: ['Bucket', ...aclMembers, 'GrantWrite', 'AccessControlPolicy', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run({ input }) {
    if (input.AccessControlPolicy !== undefined) throw new S3Error('AccessControlListNotSupported')
    refuseAcl(input)
    return Promise.resolve({})
  },
}

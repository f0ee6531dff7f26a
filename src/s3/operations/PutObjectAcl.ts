import type { PutObjectAclRequest } from '@aws-sdk/client-s3'
import { aclMembers, refuseAcl } from '../acl.ts'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** PutObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html. An object in an owner-enforced bucket takes what changes nothing, and refuses the rest. */
export const PutObjectAcl: Operation<PutObjectAclRequest, object> = {
  honours: ['Bucket', ...aclMembers, 'Key', 'VersionId', 'GrantWrite', 'AccessControlPolicy', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  run({ input }) {
    if (input.AccessControlPolicy !== undefined) throw new S3Error('AccessControlListNotSupported')
    refuseAcl(input)
    return Promise.resolve({})
  },
}

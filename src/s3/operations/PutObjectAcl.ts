import type { PutObjectAclOutput, PutObjectAclRequest } from '@aws-sdk/client-s3'
import { aclMembers, aclOfDocument, aclOfHeaders, refuseAcl } from '../acl.ts'
import { withAcl } from '../object-acl.ts'
import { isAccount, refusePublicAcl } from '../object-ownership.ts'
import { versionIdIn } from '../versions.ts'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/**
 * PutObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html. Commit point: `engine.amendAttributes`.
 * An object in an owner-enforced bucket takes what changes nothing. Errors as PutBucketAcl, NoSuchKey.
 */
export const PutObjectAcl: Operation<PutObjectAclRequest, PutObjectAclOutput> = {
  honours: ['Bucket', ...aclMembers, 'Key', 'VersionId', 'GrantWrite', 'AccessControlPolicy', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, bucketRow, service }) {
    const { isOwnerEnforced } = await service.authorizer.accessOf(bucketRow)
    if (isOwnerEnforced) {
      if (input.AccessControlPolicy !== undefined) throw new S3Error('AccessControlListNotSupported')
      refuseAcl(input)
      return {}
    }
    const id = { bucket, key, ...versionIdIn(input.VersionId) }
    const { version } = await service.engine.headObject(id)
    const { ownerId } = version
    const place = { ownerId, bucketOwnerId: bucketRow.ownerId, isObject: true, isAccount: (account: string) => isAccount(service, account) }
    const headers = await aclOfHeaders(input, place)
    if (headers !== undefined && input.AccessControlPolicy !== undefined) throw new S3Error('UnexpectedContent')
    const acl = headers ?? (input.AccessControlPolicy === undefined ? undefined : await aclOfDocument(input.AccessControlPolicy, place))
    if (acl === undefined) throw new S3Error('MissingSecurityHeader', 'Your request was missing a required header', { MissingHeaderName: 'x-amz-acl' })
    await refusePublicAcl(service, bucketRow, acl)
    await service.engine.amendAttributes({
      ...id,
      amend(current) {
        // What was authorized was about another owner's object, which has been replaced since.
        if (current.ownerId !== ownerId) throw new S3Error('OperationAborted')
        return withAcl(current.attributes, acl)
      },
    })
    return {}
  },
}

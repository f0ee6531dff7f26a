import type { PutBucketAclRequest } from '@aws-sdk/client-s3'
import { aclMembers, aclOfDocument, aclOfHeaders, refuseAcl } from '../acl.ts'
import { encodeDocument } from '../bucket-documents.ts'
import { isAccount, refusePublicAcl } from '../object-ownership.ts'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/**
 * PutBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html. Commit point: the document's commit.
 * An owner-enforced bucket takes what changes nothing. Errors: AccessControlListNotSupported, AccessDenied (public, and that
 * is blocked), MalformedACLError, InvalidArgument.
 */
export const PutBucketAcl: Operation<PutBucketAclRequest, object> = {
  honours: ['Bucket', ...aclMembers, 'GrantWrite', 'AccessControlPolicy', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, bucketRow, service }) {
    const { isOwnerEnforced } = await service.authorizer.accessOf(bucketRow)
    if (isOwnerEnforced) {
      if (input.AccessControlPolicy !== undefined) throw new S3Error('AccessControlListNotSupported')
      refuseAcl(input)
      return {}
    }
    const place = { ownerId: bucketRow.ownerId, bucketOwnerId: bucketRow.ownerId, isObject: false, isAccount: (id: string) => isAccount(service, id) }
    const headers = await aclOfHeaders(input, place)
    if (headers !== undefined && input.AccessControlPolicy !== undefined) throw new S3Error('UnexpectedContent')
    const acl = headers ?? (input.AccessControlPolicy === undefined ? undefined : await aclOfDocument(input.AccessControlPolicy, place))
    if (acl === undefined) throw new S3Error('MissingSecurityHeader', 'Your request was missing a required header', { MissingHeaderName: 'x-amz-acl' })
    await refusePublicAcl(service, bucketRow, acl)
    await service.engine.putBucketDocument(bucket, 'acl', encodeDocument(acl))
    return {}
  },
}

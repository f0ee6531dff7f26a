import type { PutBucketOwnershipControlsRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { objectOwnerships, type ObjectOwnership, type StoredOwnership } from '../bucket-access.ts'
import { encodeDocument } from '../bucket-documents.ts'
import type { Operation } from '../operation.ts'

/**
 * PutBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
 *
 * Commit point: the document's commit. Errors: MalformedXML, InvalidBucketAclWithObjectOwnership (the bucket's list grants to others).
 */
export const PutBucketOwnershipControls: Operation<PutBucketOwnershipControlsRequest, object> = {
  honours: ['Bucket', 'OwnershipControls', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, bucketRow, service }) {
    const [rule, ...rest] = input.OwnershipControls?.Rules ?? []
    const ownership = rule?.ObjectOwnership as ObjectOwnership | undefined
    if (ownership === undefined || rest.length > 0 || !objectOwnerships.includes(ownership)) throw new S3Error('MalformedXML')
    const { acl } = await service.authorizer.accessOf(bucketRow)
    const grantsToOthers = acl?.grants.some(({ to }) => to.kind === 'group' || to.id !== bucketRow.ownerId) === true
    if (ownership === 'BucketOwnerEnforced' && grantsToOthers) throw new S3Error('InvalidBucketAclWithObjectOwnership')
    const stored: StoredOwnership = { ownership }
    await service.engine.putBucketDocument(bucket, 'ownershipControls', encodeDocument(stored))
    return {}
  },
}

import type { GetObjectAclOutput, GetObjectAclRequest } from '@aws-sdk/client-s3'
import { aclOutput, privateAcl } from '../acl.ts'
import { aclOf } from '../object-acl.ts'
import { versionIdIn } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** GetObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html. In an owner-enforced bucket its owner owns every object. */
export const GetObjectAcl: Operation<GetObjectAclRequest, GetObjectAclOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, bucketRow, service }) {
    const { version } = await service.engine.headObject({ bucket, key, ...versionIdIn(input.VersionId) })
    const { isOwnerEnforced } = await service.authorizer.accessOf(bucketRow)
    if (isOwnerEnforced) return aclOutput(service.ownerOf(bucketRow.ownerId), privateAcl(bucketRow.ownerId))
    return aclOutput(service.ownerOf(version.ownerId), aclOf(version))
  },
}

import type { GetObjectAclOutput, GetObjectAclRequest } from '@aws-sdk/client-s3'
import { ownerGrant } from '../acl.ts'
import { versionIdIn } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** GetObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html. The bucket's owner owns every object of it. */
export const GetObjectAcl: Operation<GetObjectAclRequest, GetObjectAclOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, bucketRow, service }) {
    await service.engine.getObject({ bucket, key, ...versionIdIn(input.VersionId) })
    return ownerGrant(service.ownerOf(bucketRow.ownerId))
  },
}

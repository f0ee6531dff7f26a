import type { DeleteObjectOutput, DeleteObjectRequest } from '@aws-sdk/client-s3'
import { deleteConditions } from '../conditions.ts'
import { deleteOutput } from '../delete-output.ts'
import { versionIdIn } from '../versions.ts'
import { markerOwnerOf } from '../object-ownership.ts'
import type { Operation } from '../operation.ts'

/**
 * DeleteObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 *
 * Commit point: `engine.deleteObject`. Deleting what is not there succeeds, unless a condition names it.
 */
export const DeleteObject: Operation<DeleteObjectRequest, DeleteObjectOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'IfMatch', 'IfMatchLastModifiedTime', 'IfMatchSize', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, service } = call
    const result = await service.engine.deleteObject({
      bucket,
      key,
      ...versionIdIn(input.VersionId),
      conditions: deleteConditions(input),
      ownerId: await markerOwnerOf(call),
    })
    return deleteOutput(result)
  },
}

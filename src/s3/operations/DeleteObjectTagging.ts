import type { DeleteObjectTaggingOutput, DeleteObjectTaggingRequest } from '@aws-sdk/client-s3'
import { shownVersionId, versionIdIn } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** DeleteObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html. Commit point: `engine.putTags`. */
export const DeleteObjectTagging: Operation<DeleteObjectTaggingRequest, DeleteObjectTaggingOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, key, service, bucketRow }) {
    const version = await service.engine.putTags({ bucket, key, ...versionIdIn(input.VersionId), tags: {} })
    return { VersionId: shownVersionId(version.versionId, bucketRow.versioning) }
  },
}

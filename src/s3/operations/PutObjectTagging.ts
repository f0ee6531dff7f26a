import type { PutObjectTaggingOutput, PutObjectTaggingRequest } from '@aws-sdk/client-s3'
import { objectTagLimit, tagsOf } from '../tags.ts'
import { shownVersionId, versionIdIn } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** PutObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html. Commit point: `engine.putTags`. */
export const PutObjectTagging: Operation<PutObjectTaggingRequest, PutObjectTaggingOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'Tagging', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service, bucketRow }) {
    const version = await service.engine.putTags({ bucket, key, ...versionIdIn(input.VersionId), tags: tagsOf(input.Tagging?.TagSet ?? [], objectTagLimit) })
    return { VersionId: shownVersionId(version.versionId, bucketRow.versioning) }
  },
}

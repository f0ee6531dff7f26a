import type { GetObjectTaggingOutput, GetObjectTaggingRequest } from '@aws-sdk/client-s3'
import { tagSetOf } from '../tags.ts'
import { shownVersionId, versionIdIn } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** GetObjectTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
export const GetObjectTagging: Operation<GetObjectTaggingRequest, GetObjectTaggingOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service }) {
    const { version, versioning } = await service.engine.getObject({ bucket, key, ...versionIdIn(input.VersionId) })
    return { VersionId: shownVersionId(version.versionId, versioning), TagSet: tagSetOf(version.tags) }
  },
}

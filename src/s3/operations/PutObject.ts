import type { PutObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3'
import { aclMembers, refuseAcl } from '../acl.ts'
import { attributeMembers, attributesOf } from '../attributes.ts'
import { checksumMembers, checksumOutput } from '../checksum-members.ts'
import { writeConditions } from '../conditions.ts'
import { appendToObject } from '../append.ts'
import { parseTagging } from '../tags.ts'
import { quoted, shownVersionId } from '../versions.ts'
import type { Operation } from '../operation.ts'

/**
 * PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 *
 * Commit point: `engine.putObject` resolves once the version is durable and visible.
 * With `x-amz-write-offset-bytes` it appends (`append.ts`).
 * Errors: BadDigest, InvalidDigest, IncompleteBody, PreconditionFailed, NoSuchKey (If-Match), MetadataTooLarge, EntityTooLarge.
 */
export const PutObject: Operation<PutObjectRequest, PutObjectOutput> = {
  honours: [
    'Bucket', 'Key', 'Body', 'ContentLength', 'ContentMD5', 'ChecksumAlgorithm', ...checksumMembers, ...attributeMembers,
    'IfMatch', 'IfNoneMatch', 'Tagging', 'WriteOffsetBytes', 'ExpectedBucketOwner', 'RequestPayer', ...aclMembers,
  ],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, caller, service } = call
    refuseAcl(input)
    if (input.WriteOffsetBytes !== undefined) return appendToObject(call, input.WriteOffsetBytes)
    const body = call.body()
    const { version, versioning } = await service.engine.putObject({
      bucket,
      key,
      body: body.source,
      finish: body.finish,
      attributes: attributesOf(input, call.rawExpires),
      tags: parseTagging(input.Tagging),
      conditions: writeConditions(input),
      ownerId: caller.account.id,
    })
    return { ETag: quoted(version.etag), ...checksumOutput(version.checksums), VersionId: shownVersionId(version.versionId, versioning) }
  },
}

import type { PutObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3'
import { aclMembers } from '../acl.ts'
import { withAcl } from '../object-acl.ts'
import { ownershipOf } from '../object-ownership.ts'
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
    const { input, bucket, key, service } = call
    const { ownerId, acl } = await ownershipOf(call, input)
    if (input.WriteOffsetBytes !== undefined) return appendToObject(call, { offsetBytes: input.WriteOffsetBytes, ownerId, acl })
    const body = call.body()
    const { version, versioning } = await service.engine.putObject({
      bucket,
      key,
      body: body.source,
      finish: body.finish,
      attributes: withAcl(attributesOf(input, call.rawExpires), acl),
      tags: parseTagging(input.Tagging),
      conditions: writeConditions(input),
      ownerId,
    })
    return { ETag: quoted(version.etag), ...checksumOutput(version.checksums), VersionId: shownVersionId(version.versionId, versioning) }
  },
}

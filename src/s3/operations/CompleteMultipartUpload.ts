import type { CompleteMultipartUploadOutput, CompleteMultipartUploadRequest, CompletedPart } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { MiB } from '../../../base/units.ts'
import { S3Error } from '../../wire/errors.ts'
import { checksumMembers, checksumOutput, checksumsIn } from '../checksum-members.ts'
import { combineParts } from '../combine-parts.ts'
import { writeConditions } from '../conditions.ts'
import { partNumberIn } from '../part-number.ts'
import { quoted, shownVersionId } from '../versions.ts'
import type { CompleteUpload } from '../../../engine/index.ts'
import type { Call, Operation } from '../operation.ts'

const minimumPartBytes = 5 * MiB
const partLimit = 10_000

/**
 * CompleteMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 *
 * Commit point: `engine.completeUpload` resolves once the version is durable and visible.
 * Repeating a completed request returns the same answer (upload rows outlive completion).
 * Errors: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, PreconditionFailed, BadDigest, InvalidRequest (size).
 */
export const CompleteMultipartUpload: Operation<CompleteMultipartUploadRequest, CompleteMultipartUploadOutput> = {
  honours: ['Bucket', 'Key', 'MultipartUpload', 'UploadId', ...checksumMembers, 'ChecksumType', 'MpuObjectSize', 'ExpectedBucketOwner', 'RequestPayer', 'IfMatch', 'IfNoneMatch'],
  scope: 'bucket',
  checksumsOfObject: true,
  async run(call) {
    const { input, bucket, key, service, urlOf } = call
    const parts = partsOf(input.MultipartUpload?.Parts ?? [])
    const uploadId = must(input.UploadId, 'detected by its upload id')
    const claimed = { type: input.ChecksumType, checksums: checksumsIn(input) }
    const { version, versioning } = await service.engine.completeUpload({
      bucket,
      key,
      uploadId,
      parts,
      combine: (found, upload) => combineParts(found, upload.checksum, claimed),
      minimumPartBytes,
      ...(input.MpuObjectSize === undefined ? {} : { expectedSizeBytes: Number(input.MpuObjectSize) }),
      conditions: writeConditions(input),
      ownerId: await completedOwnerOf(call, uploadId),
    })
    return {
      Location: urlOf(key),
      Bucket: bucket,
      Key: key,
      ETag: quoted(version.etag),
      ...checksumOutput(version.checksums),
      VersionId: shownVersionId(version.versionId, versioning),
    }
  },
}

/** With ACLs, the object is whose upload it was, whoever completes it. */
async function completedOwnerOf({ bucket, key, bucketRow, service }: Call<CompleteMultipartUploadRequest>, uploadId: string): Promise<string> {
  const { isOwnerEnforced } = await service.authorizer.accessOf(bucketRow)
  if (isOwnerEnforced) return bucketRow.ownerId
  return (await service.engine.getUpload({ bucket, key, uploadId })).ownerId
}

function partsOf(parts: readonly CompletedPart[]): CompleteUpload['parts'] {
  if (parts.length === 0 || parts.length > partLimit) throw new S3Error('MalformedXML')
  return parts.map(part => {
    if (part.ETag === undefined) throw new S3Error('MalformedXML')
    return { partNumber: partNumberIn(part.PartNumber), etag: part.ETag.replaceAll('"', ''), checksums: checksumsIn(part) }
  })
}

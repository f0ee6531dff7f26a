import type { UploadPartOutput, UploadPartRequest } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { checksumMembers, partChecksumOutput } from '../checksum-members.ts'
import { partNumberIn } from '../part-number.ts'
import { quoted } from '../versions.ts'
import type { Operation } from '../operation.ts'

/**
 * UploadPart: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 *
 * Commit point: `engine.putPart`; a part of the same number is replaced. Errors: NoSuchUpload, BadDigest, InvalidRequest
 * (another checksum algorithm than the upload's).
 */
export const UploadPart: Operation<UploadPartRequest, UploadPartOutput> = {
  honours: ['Bucket', 'Key', 'Body', 'UploadId', 'PartNumber', 'ContentLength', 'ContentMD5', 'ChecksumAlgorithm', ...checksumMembers, 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service, body }) {
    const upload = await service.engine.getUpload({ bucket, key, uploadId: must(input.UploadId, 'detected by its upload id') })
    const { source, finish } = body({ partOf: upload })
    const part = await service.engine.putPart({ bucket, key, uploadId: upload.uploadId, partNumber: partNumberIn(input.PartNumber), body: source, finish })
    return { ETag: quoted(part.etag), ...partChecksumOutput(part.checksums) }
  },
}

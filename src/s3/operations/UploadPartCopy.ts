import type { UploadPartCopyOutput, UploadPartCopyRequest } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { GiB } from '../../../base/units.ts'
import { S3Error } from '../../wire/errors.ts'
import { partChecksumOutput } from '../checksum-members.ts'
import { admitSource, copySourceMembers, parseCopySource } from '../copy-source.ts'
import { partNumberIn } from '../part-number.ts'
import { copyDigest } from '../request-body.ts'
import { quoted } from '../versions.ts'
import type { Operation } from '../operation.ts'

const partLimitBytes = 5 * GiB

/**
 * UploadPartCopy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 *
 * Commit point: `engine.copyPart`. The bytes are read to compute the part's ETag. Errors: NoSuchUpload, NoSuchKey,
 * InvalidArgument (a range that is not `bytes=first-last`, or reaches past the end), PreconditionFailed.
 */
export const UploadPartCopy: Operation<UploadPartCopyRequest, UploadPartCopyOutput> = {
  honours: ['Bucket', 'Key', ...copySourceMembers, 'CopySourceRange', 'PartNumber', 'UploadId', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service, storage }) {
    const source = parseCopySource(must(input.CopySource, 'detected by its copy source'))
    const partNumber = partNumberIn(input.PartNumber)
    const upload = await service.engine.getUpload({ bucket, key, uploadId: must(input.UploadId, 'detected by its upload id') })
    const range = input.CopySourceRange === undefined ? undefined : parseCopyRange(input.CopySourceRange)
    const admit = admitSource(input)
    if (await storage.isLimited()) await storage.admit(range?.length ?? (await service.engine.headObject(source)).version.sizeBytes)
    const part = await service.engine.copyPart({
      bucket,
      key,
      uploadId: upload.uploadId,
      partNumber,
      source,
      ...(range === undefined ? {} : { range }),
      admit(version) {
        admit(version)
        const length = range?.length ?? version.sizeBytes
        if (length > partLimitBytes) throw new S3Error('InvalidRequest', 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120')
        if (range !== undefined && range.offset + range.length > version.sizeBytes) {
          throw new S3Error('InvalidArgument', `Range specified is not valid for source object of size: ${version.sizeBytes}`, {
            ArgumentName: 'x-amz-copy-source-range',
            ArgumentValue: String(input.CopySourceRange),
          })
        }
      },
      digest: () => copyDigest(upload),
    })
    return {
      CopyPartResult: { ETag: quoted(part.etag), LastModified: new Date(part.lastModifiedMs), ...partChecksumOutput(part.checksums) },
      ...(source.versionId === undefined ? {} : { CopySourceVersionId: source.versionId }),
    }
  },
}

/** Only `bytes=first-last`: a copy range is never open or a suffix. */
function parseCopyRange(header: string): { offset: number; length: number } {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  const offset = Number(first)
  const length = Number(last) - offset + 1
  if (first === '' || length < 1 || !Number.isSafeInteger(offset + length)) {
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header },
    )
  }
  return { offset, length }
}

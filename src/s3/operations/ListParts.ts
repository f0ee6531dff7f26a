import type { ListPartsOutput, ListPartsRequest } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { S3Error } from '../../wire/errors.ts'
import { partChecksumOutput } from '../checksum-members.ts'
import { limitOf } from '../listing.ts'
import { quoted } from '../versions.ts'
import type { Operation } from '../operation.ts'

/** ListParts: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const ListParts: Operation<ListPartsRequest, ListPartsOutput> = {
  honours: ['Bucket', 'Key', 'MaxParts', 'PartNumberMarker', 'UploadId', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service }) {
    const limit = limitOf('max-parts', input.MaxParts)
    const after = Number(input.PartNumberMarker ?? 0)
    if (!Number.isInteger(after) || after < 0) {
      throw new S3Error('InvalidArgument', 'Argument partNumberMarker must be an integer between 0 and 2147483647', { ArgumentName: 'part-number-marker', ArgumentValue: String(input.PartNumberMarker) })
    }
    const id = { bucket, key, uploadId: must(input.UploadId, 'detected by its upload id') }
    const upload = await service.engine.getUpload(id)
    const { parts, truncated } = await service.engine.listParts({ ...id, after, limit })
    const owner = service.ownerOf(upload.ownerId)
    return {
      Bucket: bucket,
      Key: key,
      UploadId: upload.uploadId,
      PartNumberMarker: String(after),
      NextPartNumberMarker: String(parts.at(-1)?.partNumber ?? 0),
      MaxParts: limit,
      IsTruncated: truncated,
      Parts: parts.map(part => ({
        PartNumber: part.partNumber,
        LastModified: new Date(part.lastModifiedMs),
        ETag: quoted(part.etag),
        Size: part.sizeBytes,
        ...partChecksumOutput(part.checksums),
      })),
      Initiator: owner,
      Owner: owner,
      StorageClass: upload.attributes.storageClass as 'STANDARD',
      ...(upload.checksum === undefined ? {} : { ChecksumAlgorithm: upload.checksum.algorithm as 'CRC32', ChecksumType: upload.checksum.type }),
    }
  },
}

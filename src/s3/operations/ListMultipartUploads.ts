import type { ListMultipartUploadsOutput, ListMultipartUploadsRequest, MultipartUpload } from '@aws-sdk/client-s3'
import { encodedIf, encoderOf, limitOf } from '../listing.ts'
import type { Operation } from '../operation.ts'

/** ListMultipartUploads: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const ListMultipartUploads: Operation<ListMultipartUploadsRequest, ListMultipartUploadsOutput> = {
  honours: ['Bucket', 'Delimiter', 'EncodingType', 'KeyMarker', 'MaxUploads', 'Prefix', 'UploadIdMarker', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const encode = encoderOf(input.EncodingType)
    const limit = limitOf('max-uploads', input.MaxUploads)
    const { entries, truncated } = await service.engine.listUploads({
      bucket,
      limit,
      prefix: input.Prefix ?? '',
      ...(input.Delimiter ? { delimiter: input.Delimiter } : {}),
      ...(input.KeyMarker ? { keyMarker: input.KeyMarker } : {}),
      // AWS ignores an upload id marker without a key marker.
      ...(input.UploadIdMarker && input.KeyMarker ? { uploadIdMarker: input.UploadIdMarker } : {}),
    })
    const uploads: MultipartUpload[] = []
    const prefixes: { Prefix: string }[] = []
    for (const entry of entries) {
      if (entry.kind === 'commonPrefix') {
        prefixes.push({ Prefix: encode(entry.prefix) })
        continue
      }
      const owner = service.ownerOf(entry.ownerId)
      uploads.push({
        UploadId: entry.uploadId,
        Key: encode(entry.key),
        Initiated: new Date(entry.initiatedMs),
        StorageClass: entry.attributes.storageClass as 'STANDARD',
        Owner: owner,
        Initiator: owner,
        ...(entry.checksum === undefined ? {} : { ChecksumAlgorithm: entry.checksum.algorithm as 'CRC32', ChecksumType: entry.checksum.type }),
      })
    }
    const last = entries.at(-1)
    return {
      Bucket: bucket,
      KeyMarker: encode(input.KeyMarker ?? ''),
      UploadIdMarker: input.UploadIdMarker ?? '',
      ...(truncated && last !== undefined
        ? last.kind === 'commonPrefix'
          ? { NextKeyMarker: encode(last.prefix) }
          : { NextKeyMarker: encode(last.key), NextUploadIdMarker: last.uploadId }
        : {}),
      Prefix: encode(input.Prefix ?? ''),
      Delimiter: encodedIf(encode, input.Delimiter || undefined),
      MaxUploads: limit,
      IsTruncated: truncated,
      EncodingType: input.EncodingType,
      Uploads: uploads,
      CommonPrefixes: prefixes,
    }
  },
}

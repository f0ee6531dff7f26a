import type { DeleteMarkerEntry, ListObjectVersionsOutput, ListObjectVersionsRequest, ObjectVersion as VersionEntry } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { encodedIf, encoderOf, limitOf } from '../listing.ts'
import { refuseUnknownAttributes } from '../optional-attributes.ts'
import { quoted } from '../versions.ts'
import type { VersionListing } from '../../../engine/index.ts'
import type { Operation, S3Service } from '../operation.ts'

/**
 * ListObjectVersions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 *
 * Versions and delete markers stand interleaved in key order in the answer, as AWS writes them;
 * the schema has a list for each, and `$order` keeps the order.
 */
export const ListObjectVersions: Operation<ListObjectVersionsRequest, ListObjectVersionsOutput> = {
  honours: [
    'Bucket', 'Delimiter', 'EncodingType', 'KeyMarker', 'MaxKeys', 'Prefix', 'VersionIdMarker', 'ExpectedBucketOwner', 'RequestPayer',
    'OptionalObjectAttributes',
  ],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    refuseUnknownAttributes(input.OptionalObjectAttributes)
    if (input.VersionIdMarker && !input.KeyMarker) {
      throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.', { ArgumentName: 'version-id-marker', ArgumentValue: input.VersionIdMarker })
    }
    const encode = encoderOf(input.EncodingType)
    const limit = limitOf('max-keys', input.MaxKeys)
    const { entries, truncated } = await service.engine.listVersions({
      bucket,
      limit,
      prefix: input.Prefix ?? '',
      ...(input.Delimiter ? { delimiter: input.Delimiter } : {}),
      ...(input.KeyMarker ? { keyMarker: input.KeyMarker } : {}),
      ...(input.VersionIdMarker ? { versionIdMarker: input.VersionIdMarker } : {}),
    })
    const last = entries.at(-1)
    return {
      Name: bucket,
      Prefix: encode(input.Prefix ?? ''),
      KeyMarker: encode(input.KeyMarker ?? ''),
      VersionIdMarker: input.VersionIdMarker ?? '',
      ...(truncated && last !== undefined
        ? last.kind === 'commonPrefix'
          ? { NextKeyMarker: encode(last.prefix) }
          : { NextKeyMarker: encode(last.key), NextVersionIdMarker: last.versionId }
        : {}),
      MaxKeys: limit,
      Delimiter: encodedIf(encode, input.Delimiter || undefined),
      IsTruncated: truncated,
      EncodingType: input.EncodingType,
      ...versionEntries(entries, encode, service.ownerOf),
    }
  },
}

function versionEntries(entries: VersionListing['entries'], encode: (text: string) => string, ownerOf: S3Service['ownerOf']) {
  const versions: VersionEntry[] = []
  const markers: DeleteMarkerEntry[] = []
  const prefixes: { Prefix: string }[] = []
  const order: ('Versions' | 'DeleteMarkers')[] = []
  for (const entry of entries) {
    if (entry.kind === 'commonPrefix') {
      prefixes.push({ Prefix: encode(entry.prefix) })
      continue
    }
    const head = {
      Key: encode(entry.key),
      VersionId: entry.versionId,
      IsLatest: entry.isLatest,
      LastModified: new Date(entry.lastModifiedMs),
      Owner: ownerOf(entry.ownerId),
    }
    if (entry.kind === 'deleteMarker') {
      order.push('DeleteMarkers')
      markers.push(head)
      continue
    }
    order.push('Versions')
    const { checksums } = entry
    versions.push({
      ...head,
      ETag: quoted(entry.etag),
      ...(checksums[0] === undefined ? {} : { ChecksumAlgorithm: checksums.map(({ algorithm }) => algorithm as 'CRC32'), ChecksumType: checksums[0].type }),
      Size: entry.sizeBytes,
      StorageClass: entry.attributes.storageClass as 'STANDARD',
    })
  }
  return { Versions: versions, DeleteMarkers: markers, CommonPrefixes: prefixes, $order: order }
}

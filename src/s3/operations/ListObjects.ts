import type { ListObjectsOutput, ListObjectsRequest } from '@aws-sdk/client-s3'
import { encodedIf, encoderOf, limitOf } from '../listing.ts'
import { lastEntry, objectEntries } from '../object-entries.ts'
import { refuseUnknownAttributes } from '../optional-attributes.ts'
import type { Operation } from '../operation.ts'

/**
 * ListObjects (version 1): https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 *
 * NextMarker is there only with a delimiter, as AWS: otherwise the last key is the next marker.
 */
export const ListObjects: Operation<ListObjectsRequest, ListObjectsOutput> = {
  honours: ['Bucket', 'Delimiter', 'EncodingType', 'Marker', 'MaxKeys', 'Prefix', 'RequestPayer', 'ExpectedBucketOwner', 'OptionalObjectAttributes'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    refuseUnknownAttributes(input.OptionalObjectAttributes)
    const encode = encoderOf(input.EncodingType)
    const limit = limitOf('max-keys', input.MaxKeys)
    const { entries, truncated } = await service.engine.listObjects({
      bucket,
      limit,
      prefix: input.Prefix ?? '',
      ...(input.Delimiter ? { delimiter: input.Delimiter } : {}),
      ...(input.Marker ? { after: input.Marker } : {}),
    })
    const last = lastEntry(entries)
    const { Contents, CommonPrefixes } = objectEntries(entries, encode, service.ownerOf)
    return {
      Name: bucket,
      Prefix: encode(input.Prefix ?? ''),
      Marker: encode(input.Marker ?? ''),
      ...(truncated && input.Delimiter && last !== undefined ? { NextMarker: encode(last) } : {}),
      MaxKeys: limit,
      Delimiter: encodedIf(encode, input.Delimiter || undefined),
      IsTruncated: truncated,
      EncodingType: input.EncodingType,
      Contents,
      CommonPrefixes,
    }
  },
}

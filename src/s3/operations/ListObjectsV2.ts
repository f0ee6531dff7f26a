import type { ListObjectsV2Output, ListObjectsV2Request } from '@aws-sdk/client-s3'
import { afterToken, encodedIf, encoderOf, limitOf, tokenAfter } from '../listing.ts'
import { lastEntry, objectEntries } from '../object-entries.ts'
import { refuseUnknownAttributes } from '../optional-attributes.ts'
import type { Operation } from '../operation.ts'

/**
 * ListObjectsV2: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * A continuation token overrides start-after, as AWS.
 */
export const ListObjectsV2: Operation<ListObjectsV2Request, ListObjectsV2Output> = {
  honours: [
    'Bucket', 'Delimiter', 'EncodingType', 'MaxKeys', 'Prefix', 'ContinuationToken', 'FetchOwner', 'StartAfter', 'RequestPayer', 'ExpectedBucketOwner',
    'OptionalObjectAttributes',
  ],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    refuseUnknownAttributes(input.OptionalObjectAttributes)
    const encode = encoderOf(input.EncodingType)
    const limit = limitOf('max-keys', input.MaxKeys)
    const after = input.ContinuationToken === undefined ? input.StartAfter : afterToken(input.ContinuationToken)
    const { entries, truncated } = await service.engine.listObjects({
      bucket,
      limit,
      prefix: input.Prefix ?? '',
      ...(input.Delimiter ? { delimiter: input.Delimiter } : {}),
      ...(after === undefined ? {} : { after }),
    })
    const last = lastEntry(entries)
    const { Contents, CommonPrefixes } = objectEntries(entries, encode, input.FetchOwner === true ? service.ownerOf : undefined)
    return {
      Name: bucket,
      Prefix: encode(input.Prefix ?? ''),
      StartAfter: encodedIf(encode, input.StartAfter),
      ContinuationToken: input.ContinuationToken,
      ...(truncated && last !== undefined ? { NextContinuationToken: tokenAfter(last) } : {}),
      KeyCount: entries.length,
      MaxKeys: limit,
      Delimiter: encodedIf(encode, input.Delimiter || undefined),
      IsTruncated: truncated,
      EncodingType: input.EncodingType,
      Contents,
      CommonPrefixes,
    }
  },
}

import type { S3OperationName } from './s3-operations.ts'

/**
 * What answers look like where the model does not say. The service model puts required members first; AWS sends these
 * answers in the order below, and DuckDB and older clients search them as text.
 */
export const elementOrder: Partial<Record<S3OperationName, readonly string[]>> = {
  ListObjects: ['Name', 'Prefix', 'Marker', 'NextMarker', 'MaxKeys', 'Delimiter', 'IsTruncated', 'EncodingType', 'Contents', 'CommonPrefixes'],
  ListObjectsV2: [
    'Name', 'Prefix', 'StartAfter', 'ContinuationToken', 'NextContinuationToken', 'KeyCount', 'MaxKeys', 'Delimiter', 'IsTruncated', 'EncodingType',
    'Contents', 'CommonPrefixes',
  ],
  ListObjectVersions: [
    'Name', 'Prefix', 'KeyMarker', 'VersionIdMarker', 'NextKeyMarker', 'NextVersionIdMarker', 'MaxKeys', 'Delimiter', 'IsTruncated', 'EncodingType',
    'Versions', 'DeleteMarkers', 'CommonPrefixes',
  ],
  ListBuckets: ['Owner', 'Buckets', 'Prefix', 'ContinuationToken'],
  ListParts: [
    'Bucket', 'Key', 'UploadId', 'Initiator', 'Owner', 'StorageClass', 'PartNumberMarker', 'NextPartNumberMarker', 'MaxParts', 'IsTruncated',
    'ChecksumAlgorithm', 'ChecksumType', 'Parts',
  ],
  CopyObject: ['LastModified', 'ETag'],
  UploadPartCopy: ['LastModified', 'ETag'],
}

/** Lists that stand interleaved, in the order that the output's `$order` gives. */
export const interleavedLists: Partial<Record<S3OperationName, readonly string[]>> = {
  ListObjectVersions: ['Versions', 'DeleteMarkers'],
}

/** Answers whose one member is the root element itself: `<LocationConstraint>eu-west-1</LocationConstraint>`. */
export const unwrapped: ReadonlySet<S3OperationName> = new Set(['GetBucketLocation'])

/** Members whose header is not what the SDK calls it: the SDKs keep the text of `Expires` under a name of their own. */
export const headerNames: Readonly<Record<string, string>> = { ExpiresString: 'Expires' }

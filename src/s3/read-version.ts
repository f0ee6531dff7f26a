import { evaluateConditions, ifRangeHolds } from '../wire/conditions.ts'
import { parseRange } from '../wire/range.ts'
import { S3Error } from '../wire/errors.ts'
import { attributeOutput } from './attributes.ts'
import { checksumOutput, partChecksumOutput } from './checksum-members.ts'
import { httpDate } from '../wire/http-date.ts'
import { quoted, shownVersionId } from './versions.ts'
import type { GetObjectRequest, HeadObjectRequest } from '@aws-sdk/client-s3'
import type { ObjectHead, Part } from '../../engine/index.ts'
import type { Call } from './operation.ts'

export const readMembers = [
  'Bucket', 'Key', 'IfMatch', 'IfModifiedSince', 'IfNoneMatch', 'IfUnmodifiedSince', 'Range', 'PartNumber', 'VersionId', 'ChecksumMode',
  'ResponseCacheControl', 'ResponseContentDisposition', 'ResponseContentEncoding', 'ResponseContentLanguage', 'ResponseContentType',
  'ResponseExpires', 'ExpectedBucketOwner', 'RequestPayer',
] as const satisfies readonly (keyof GetObjectRequest & keyof HeadObjectRequest)[]

/** What GetObject and HeadObject both answer, and the slice of bytes that goes with it. */
export interface VersionRead {
  readonly slice: Slice
  readonly output: object
}

interface Slice {
  readonly offset: number
  readonly length: number
  /** 206 with Content-Range, rather than the whole object. */
  readonly partial: boolean
}

/** Errors: NotModified, PreconditionFailed, InvalidRange, InvalidPartNumber. */
export async function readVersion({ input, ifRange, rawResponseExpires }: Pick<Call<GetObjectRequest & HeadObjectRequest>, 'input' | 'ifRange' | 'rawResponseExpires'>, reader: ObjectHead): Promise<VersionRead> {
  const { version } = reader
  const unchanged = {
    ETag: quoted(version.etag),
    LastModified: new Date(version.lastModifiedMs),
    VersionId: shownVersionId(version.versionId, reader.versioning),
  }
  refuseUnmet(input, version, unchanged)
  const parts = input.PartNumber === undefined ? [] : await reader.parts()
  const slice = sliceOf(ifRange === undefined || ifRangeHolds(ifRange, version) ? input : { ...input, Range: undefined }, version.sizeBytes, parts)
  const tagCount = Object.keys(version.tags).length
  return {
    slice,
    output: {
      ...attributeOutput(version),
      ...unchanged,
      AcceptRanges: 'bytes',
      ContentLength: slice.length,
      ...(slice.partial ? { ContentRange: `bytes ${slice.offset}-${slice.offset + slice.length - 1}/${version.sizeBytes}` } : {}),
      ...(tagCount > 0 ? { TagCount: tagCount } : {}),
      ...(input.PartNumber === undefined ? {} : { PartsCount: version.partsCount }),
      ...checksumsFor(input, reader, parts, slice),
      ...responseOverrides(input, rawResponseExpires),
    },
  }
}

function refuseUnmet(input: GetObjectRequest, version: ObjectHead['version'], unchanged: { ETag: string; LastModified: Date; VersionId: string | undefined }): void {
  const outcome = evaluateConditions(
    {
      ifMatch: input.IfMatch,
      ifNoneMatch: input.IfNoneMatch,
      ifModifiedSinceMs: input.IfModifiedSince?.getTime(),
      ifUnmodifiedSinceMs: input.IfUnmodifiedSince?.getTime(),
    },
    { etag: version.etag, lastModifiedMs: version.lastModifiedMs },
  )
  if (outcome === 'preconditionFailed') throw new S3Error('PreconditionFailed', undefined, { Condition: input.IfMatch === undefined ? 'If-Unmodified-Since' : 'If-Match' })
  if (outcome === 'notModified') {
    throw new S3Error('NotModified', undefined, {}, {
      etag: unchanged.ETag,
      'last-modified': httpDate(unchanged.LastModified.getTime()),
      ...(unchanged.VersionId === undefined ? {} : { 'x-amz-version-id': unchanged.VersionId }),
    })
  }
}

function sliceOf(input: GetObjectRequest, sizeBytes: number, parts: readonly Part[]): Slice {
  if (input.PartNumber !== undefined) return partSlice(input, sizeBytes, parts)
  if (input.Range === undefined) return { offset: 0, length: sizeBytes, partial: false }
  const range = parseRange(input.Range, sizeBytes)
  switch (range.kind) {
    case 'whole':
      return { offset: 0, length: sizeBytes, partial: false }
    case 'range':
      return { offset: range.offset, length: range.length, partial: true }
    case 'unsatisfiable':
      throw new S3Error('InvalidRange', undefined, { RangeRequested: input.Range, ActualObjectSize: String(sizeBytes) }, { 'content-range': `bytes */${sizeBytes}` })
  }
}

/** Part 1 of an object that was put in one piece is the object. */
function partSlice({ PartNumber: partNumber = 1, Range: range }: GetObjectRequest, sizeBytes: number, parts: readonly Part[]): Slice {
  if (range !== undefined) throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter')
  if (partNumber < 1 || partNumber > 10_000) {
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', { ArgumentName: 'partNumber', ArgumentValue: String(partNumber) })
  }
  if (parts.length === 0 && partNumber === 1) return { offset: 0, length: sizeBytes, partial: sizeBytes > 0 }
  const at = parts.findIndex(part => part.partNumber === partNumber)
  const part = parts[at]
  if (part === undefined) throw new S3Error('InvalidPartNumber', undefined, { PartNumberRequested: String(partNumber), ActualPartCount: String(Math.max(parts.length, 1)) })
  const offset = parts.slice(0, at).reduce((sum, { sizeBytes: before }) => sum + before, 0)
  return { offset, length: part.sizeBytes, partial: true }
}

/** Checksums are of the whole object or of one whole part: a range gets none. */
function checksumsFor(input: GetObjectRequest, { version }: ObjectHead, parts: readonly Part[], slice: Slice): object {
  if (input.ChecksumMode !== 'ENABLED') return {}
  if (input.PartNumber !== undefined && parts.length > 0) {
    const part = parts.find(({ partNumber }) => partNumber === input.PartNumber)
    return part === undefined ? {} : { ...partChecksumOutput(part.checksums), ChecksumType: checksumOutput(version.checksums).ChecksumType }
  }
  return slice.length === version.sizeBytes ? checksumOutput(version.checksums) : {}
}

function responseOverrides(input: GetObjectRequest, rawExpires: string | undefined): object {
  const overrides: Record<string, string> = {}
  if (input.ResponseCacheControl !== undefined) overrides['CacheControl'] = input.ResponseCacheControl
  if (input.ResponseContentDisposition !== undefined) overrides['ContentDisposition'] = input.ResponseContentDisposition
  if (input.ResponseContentEncoding !== undefined) overrides['ContentEncoding'] = input.ResponseContentEncoding
  if (input.ResponseContentLanguage !== undefined) overrides['ContentLanguage'] = input.ResponseContentLanguage
  if (input.ResponseContentType !== undefined) overrides['ContentType'] = input.ResponseContentType
  if (rawExpires !== undefined) overrides['ExpiresString'] = rawExpires
  return overrides
}

import { EngineError } from '../../engine/index.ts'
import { ChecksumError } from '../checksums/checksum-error.ts'
import { SigV4Error } from '../sigv4/sigv4-error.ts'
import { S3Error } from '../wire/errors.ts'
import type { S3ErrorCode } from '../wire/error-codes.ts'
import type { EngineErrorCode } from '../../engine/index.ts'
import { httpDate } from '../wire/http-date.ts'

/** What each engine error is in S3's words. */
const codes: Readonly<Record<EngineErrorCode, S3ErrorCode>> = {
  NoSuchBucket: 'NoSuchBucket',
  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketNotEmpty: 'BucketNotEmpty',
  TooManyBuckets: 'TooManyBuckets',
  NoSuchKey: 'NoSuchKey',
  NoSuchVersion: 'NoSuchVersion',
  IsDeleteMarker: 'MethodNotAllowed',
  NoSuchUpload: 'NoSuchUpload',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  EntityTooSmall: 'EntityTooSmall',
  SizeMismatch: 'InvalidRequest',
  PreconditionFailed: 'PreconditionFailed',
  Pinned: 'AccessDenied',
  InvalidRange: 'InvalidRange',
  InvalidWriteOffset: 'InvalidWriteOffset',
  IdempotencyParameterMismatch: 'IdempotencyParameterMismatch',
  Contention: 'SlowDown',
  StorageFull: 'XMinioStorageFull',
  Unwritable: 'SlowDownWrite',
  Unreadable: 'SlowDownRead',
  Corrupt: 'InternalError',
  OutcomeUnknown: 'ServiceUnavailable',
  Io: 'InternalError',
}

/** Any error as the answer to the client. One that is nobody's is InternalError: its text stays in the log. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  if (error instanceof SigV4Error) return new S3Error(error.code, error.message, error.detail)
  if (error instanceof ChecksumError) return new S3Error(error.code, error.message)
  if (error instanceof EngineError) return fromEngine(error)
  return new S3Error('InternalError')
}

/** The engine's details that S3's error body shows, and as what. The others are for the log. */
const elementNames: Readonly<Record<string, string>> = {
  bucket: 'BucketName',
  key: 'Key',
  versionId: 'VersionId',
  uploadId: 'UploadId',
  partNumber: 'PartNumber',
  etag: 'ETag',
  minimumPartBytes: 'MinSizeAllowed',
  proposedBytes: 'ProposedSize',
  condition: 'Condition',
  sizeBytes: 'ActualObjectSize',
}

/** Where S3's own words for the code would not tell what is wrong. */
const messages: Partial<Record<EngineErrorCode, string>> = {
  SizeMismatch: 'The provided x-amz-mp-object-size header value does not match what was computed.',
  Pinned: 'Access Denied: the object is the current metadata of a table or view of the catalog. Drop or unregister that first.',
}

function fromEngine({ code, detail }: EngineError): S3Error {
  const headers: Record<string, string> = {}
  if (code === 'IsDeleteMarker' || detail['deleteMarker'] === 'true') {
    headers['x-amz-delete-marker'] = 'true'
    if (detail['versionId'] !== undefined) headers['x-amz-version-id'] = detail['versionId']
  }
  if (code === 'IsDeleteMarker') {
    headers['allow'] = 'DELETE'
    if (detail['lastModifiedMs'] !== undefined) headers['last-modified'] = httpDate(Number(detail['lastModifiedMs']))
  }
  const elements: Record<string, string> = {}
  for (const [name, value] of Object.entries(detail)) {
    const element = elementNames[name]
    if (element !== undefined) elements[element] = value
  }
  return new S3Error(codes[code], messages[code], elements, headers)
}

import { S3Error } from '../wire/errors.ts'
import type { Attributes, ObjectVersion } from '../../engine/index.ts'

/** The members of PutObject, CreateMultipartUpload and CopyObject that a version keeps and gives back. */
export interface AttributeMembers {
  CacheControl?: string | undefined
  ContentDisposition?: string | undefined
  ContentEncoding?: string | undefined
  ContentLanguage?: string | undefined
  ContentType?: string | undefined
  Expires?: Date | undefined
  Metadata?: Record<string, string> | undefined
  StorageClass?: string | undefined
  WebsiteRedirectLocation?: string | undefined
}

export const attributeMembers = [
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'Expires',
  'Metadata',
  'StorageClass',
  'WebsiteRedirectLocation',
] as const

const userMetadataLimitBytes = 2048

/** AWS's names; all are stored alike, and reported back. */
const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
])

/**
 * The stored attributes of a request. `rawExpires` is the Expires header as sent: AWS stores the text,
 * whether or not it is a date. Errors: MetadataTooLarge, InvalidStorageClass, InvalidRedirectLocation.
 */
export function attributesOf(input: AttributeMembers, rawExpires: string | undefined): Attributes {
  const headers: Record<string, string> = { 'content-type': input.ContentType ?? 'binary/octet-stream' }
  if (input.CacheControl !== undefined) headers['cache-control'] = input.CacheControl
  if (input.ContentDisposition !== undefined) headers['content-disposition'] = input.ContentDisposition
  const encoding = withoutAwsChunked(input.ContentEncoding)
  if (encoding !== undefined) headers['content-encoding'] = encoding
  if (input.ContentLanguage !== undefined) headers['content-language'] = input.ContentLanguage
  if (rawExpires !== undefined) headers['expires'] = rawExpires
  if (input.WebsiteRedirectLocation !== undefined) headers['x-amz-website-redirect-location'] = redirectLocation(input.WebsiteRedirectLocation)
  return { headers, userMetadata: userMetadata(input.Metadata ?? {}), storageClass: storageClass(input.StorageClass) }
}

/** `aws-chunked` describes the transfer, not the object: AWS does not store it. */
function withoutAwsChunked(encoding: string | undefined): string | undefined {
  if (encoding === undefined) return undefined
  const kept = encoding
    .split(',')
    .map(token => token.trim())
    .filter(token => token !== '' && token.toLowerCase() !== 'aws-chunked')
  return kept.length === 0 ? undefined : kept.join(',')
}

function redirectLocation(location: string): string {
  if (!/^(\/|https?:\/\/)/.test(location)) {
    throw new S3Error('InvalidRedirectLocation', "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
  }
  return location
}

function userMetadata(metadata: Record<string, string>): Record<string, string> {
  let sizeBytes = 0
  for (const [name, value] of Object.entries(metadata)) sizeBytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  if (sizeBytes > userMetadataLimitBytes) {
    throw new S3Error('MetadataTooLarge', undefined, { Size: String(sizeBytes), MaxSizeAllowed: String(userMetadataLimitBytes) })
  }
  return metadata
}

function storageClass(name: string | undefined): string {
  if (name === undefined) return 'STANDARD'
  if (!storageClasses.has(name)) throw new S3Error('InvalidStorageClass', undefined, { StorageClassRequested: name })
  return name
}

/** Response members that every read of a version carries. */
export function attributeOutput({ attributes }: ObjectVersion) {
  const { headers, userMetadata: metadata, storageClass: stored } = attributes
  return {
    CacheControl: headers['cache-control'],
    ContentDisposition: headers['content-disposition'],
    ContentEncoding: headers['content-encoding'],
    ContentLanguage: headers['content-language'],
    ContentType: headers['content-type'],
    ExpiresString: headers['expires'],
    WebsiteRedirectLocation: headers['x-amz-website-redirect-location'],
    Metadata: metadata,
    /** AWS leaves the header out for STANDARD. */
    StorageClass: stored === 'STANDARD' ? undefined : stored,
  }
}

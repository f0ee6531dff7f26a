import { S3Error } from '../wire/errors.ts'
import type { Tag } from '@aws-sdk/client-s3'
import type { Tags } from '../../engine/index.ts'

export const objectTagLimit = 10
export const bucketTagLimit = 50

const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** The `x-amz-tagging` header: tags as URL query parameters. Errors: InvalidTag, InvalidArgument, BadRequest. */
export function parseTagging(header: string | undefined): Tags {
  if (header === undefined || header === '') return {}
  const tags: Tag[] = []
  for (const pair of header.split('&')) {
    const [name = '', value = '', ...rest] = pair.split('=')
    if (rest.length > 0) throw malformed(header)
    tags.push({ Key: decode(name, header), Value: decode(value, header) })
  }
  return tagsOf(tags, objectTagLimit)
}

function decode(text: string, header: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed(header)
  }
}

const malformed = (header: string) =>
  new S3Error('InvalidArgument', "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", {
    ArgumentName: 'x-amz-tagging',
    ArgumentValue: header,
  })

/** A validated tag set. AWS's limits: 10 tags on an object, 50 on a bucket; keys 1…128, values 0…256 characters. */
export function tagsOf(tagSet: readonly Tag[], limit: number): Tags {
  if (tagSet.length > limit) {
    throw limit === objectTagLimit
      ? new S3Error('BadRequest', `Object tags cannot be greater than ${limit}`)
      : new S3Error('BadRequest', `Bucket tag count cannot be greater than ${limit}`)
  }
  const tags: Record<string, string> = {}
  for (const { Key: key = '', Value: value = '' } of tagSet) {
    if (key.length === 0 || key.length > 128 || !allowed.test(key)) throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid', { TagKey: key })
    if (value.length > 256 || !allowed.test(value)) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid', { TagKey: key, TagValue: value })
    if (key.startsWith('aws:')) throw new S3Error('InvalidTag', 'System tags cannot be added/updated by requester', { TagKey: key })
    if (Object.hasOwn(tags, key)) throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key', { TagKey: key })
    Object.defineProperty(tags, key, { value, enumerable: true })
  }
  return tags
}

/** In key order, as AWS answers. */
export const tagSetOf = (tags: Tags): Tag[] =>
  Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }))

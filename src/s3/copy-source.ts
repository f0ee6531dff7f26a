import { evaluateConditions } from '../wire/conditions.ts'
import { S3Error } from '../wire/errors.ts'
import type { ObjectId, ObjectVersion } from '../../engine/index.ts'

/** The members of CopyObject and UploadPartCopy that choose and condition the source. */
export const copySourceMembers = [
  'CopySource', 'CopySourceIfMatch', 'CopySourceIfModifiedSince', 'CopySourceIfNoneMatch', 'CopySourceIfUnmodifiedSince', 'ExpectedSourceBucketOwner',
] as const

export interface CopySourceInput {
  CopySource?: string | undefined
  CopySourceIfMatch?: string | undefined
  CopySourceIfModifiedSince?: Date | undefined
  CopySourceIfNoneMatch?: string | undefined
  CopySourceIfUnmodifiedSince?: Date | undefined
}

/** `[/]bucket/key[?versionId=id]`, URL-encoded. Errors: InvalidArgument. */
export function parseCopySource(header: string): ObjectId {
  const [path = '', query, ...rest] = header.split('?')
  const slash = path.startsWith('/') ? path.indexOf('/', 1) : path.indexOf('/')
  if (slash < 1 || rest.length > 0) throw invalid(header, 'Invalid copy source object key')
  const bucket = decode(path.slice(path.startsWith('/') ? 1 : 0, slash), header)
  const key = decode(path.slice(slash + 1), header)
  if (bucket === '' || key === '') throw invalid(header, 'Invalid copy source object key')
  if (query === undefined) return { bucket, key }
  const versionId = /^versionId=([^&]+)$/.exec(query)?.[1]
  if (versionId === undefined) throw invalid(header, 'Invalid copy source object key')
  return { bucket, key, versionId: decode(versionId, header) }
}

function decode(text: string, header: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(header, 'Invalid copy source encoding.')
  }
}

const invalid = (value: string, message: string) => new S3Error('InvalidArgument', message, { ArgumentName: 'x-amz-copy-source', ArgumentValue: value })

/** The source's conditions: an unmet one is 412, for reads that would answer 304 too. */
export function admitSource(input: CopySourceInput): (source: ObjectVersion) => void {
  return ({ etag, lastModifiedMs }) => {
    const outcome = evaluateConditions(
      {
        ifMatch: input.CopySourceIfMatch,
        ifNoneMatch: input.CopySourceIfNoneMatch,
        ifModifiedSinceMs: input.CopySourceIfModifiedSince?.getTime(),
        ifUnmodifiedSinceMs: input.CopySourceIfUnmodifiedSince?.getTime(),
      },
      { etag, lastModifiedMs },
    )
    if (outcome !== 'proceed') throw new S3Error('PreconditionFailed', undefined, { Condition: 'x-amz-copy-source-If' })
  }
}

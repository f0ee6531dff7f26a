import { S3Error } from '../wire/errors.ts'
import type { Versioning } from '../../engine/index.ts'

/** A version id is shown once a bucket has been versioned; a never-versioned bucket shows none. */
export const shownVersionId = (versionId: string, versioning: Versioning): string | undefined => (versioning === 'Unversioned' ? undefined : versionId)

/** `versionId` as a parameter: empty is AWS's InvalidArgument. */
export function versionIdIn(versionId: string | undefined): { versionId?: string } {
  if (versionId === undefined) return {}
  if (versionId === '') throw new S3Error('InvalidArgument', 'Version id cannot be the empty string', { ArgumentName: 'versionId', ArgumentValue: '' })
  return { versionId }
}

export const quoted = (etag: string): string => `"${etag}"`

import { S3Error } from '../wire/errors.ts'
import type { Versioning } from '../../engine/index.ts'

/** A version id is shown once a bucket has been versioned; a never-versioned bucket shows none. */
export const shownVersionId = (versionId: string, versioning: Versioning): string | undefined => (versioning === 'Unversioned' ? undefined : versionId)

/** The engine's ids, and the null version's. */
const versionIdForm = /^(null|[0-9a-f]{32})$/

/** `versionId` as a parameter. Errors: InvalidArgument for what no version could be called. */
export function versionIdIn(versionId: string | undefined): { versionId?: string } {
  if (versionId === undefined) return {}
  if (versionIdForm.test(versionId)) return { versionId }
  const message = versionId === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified'
  throw new S3Error('InvalidArgument', message, { ArgumentName: 'versionId', ArgumentValue: versionId.slice(0, 1024) })
}

export const quoted = (etag: string): string => `"${etag}"`

import type { DeleteResult } from '../../engine/index.ts'

/** What one delete did, in the members that DeleteObject and each entry of DeleteObjects share. */
export function deleteOutput(result: DeleteResult): { DeleteMarker?: boolean; VersionId?: string } {
  switch (result.did) {
    case 'nothing':
      return {}
    case 'deletedVersion':
      return result.versionId === undefined ? {} : { VersionId: result.versionId }
    case 'deletedMarker':
    case 'createdMarker':
      return { DeleteMarker: true, VersionId: result.versionId }
  }
}

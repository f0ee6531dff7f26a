import { referenceRange } from '../keys.ts'
import type { EngineContext } from './context.ts'

/**
 * Deletes blobs that a crash, or a commit with an unknown outcome, left without a reference: a full
 * walk of the blob store. A blob younger than `orphanGraceMs` may be one that is just being staged;
 * an older one without a reference never gets one, because only the upload that staged it could.
 */
export async function sweepOrphans(context: EngineContext): Promise<{ deletedBlobs: number }> {
  const begunBefore = context.clock.nowMs() - context.settings.orphanGraceMs
  let deletedBlobs = 0
  for await (const { blobId, begunAtMs } of context.blobs.list()) {
    if (begunAtMs >= begunBefore) continue
    const references = await context.metadata.list({ ...referenceRange({ kind: 'blob', blobId }), limit: 1 })
    if (references.length > 0) continue
    await context.blobs.delete(blobId)
    deletedBlobs++
  }
  return { deletedBlobs }
}

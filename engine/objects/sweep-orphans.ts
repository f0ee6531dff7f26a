import { referenceRange } from '../keys.ts'
import type { EngineContext } from './context.ts'
import { type Candidate, provenUnused } from './prove-unused.ts'

/** So many times the bound of a round: each takes a walk over all references. */
const roundsAtOnce = 100

/**
 * Deletes blobs that a crash, or a commit with an unknown outcome, left without a reference: a full
 * walk of the blob store. A blob younger than `orphanGraceMs` may be one that is just being staged;
 * an older one without a reference never gets one, because only the upload that staged it could.
 * Throws `Corrupt`, and deletes nothing more, where the references cannot be proven to be all.
 */
export async function sweepOrphans(context: EngineContext): Promise<{ deletedBlobs: number }> {
  const begunBefore = context.clock.nowMs() - context.settings.orphanGraceMs
  let deletedBlobs = 0
  let candidates: Candidate[] = []
  for await (const { blobId, begunAtMs } of context.blobs.list()) {
    if (begunAtMs >= begunBefore) continue
    const held = { kind: 'blob', blobId } as const
    const references = await context.metadata.list({ ...referenceRange(held), limit: 1 })
    if (references.length > 0) continue
    candidates.push({ held })
    if (candidates.length < roundsAtOnce * context.settings.roundLimit) continue
    deletedBlobs += await deleteUnused(context, candidates)
    candidates = []
  }
  return { deletedBlobs: deletedBlobs + (await deleteUnused(context, candidates)) }
}

async function deleteUnused(context: EngineContext, candidates: readonly Candidate[]): Promise<number> {
  if (candidates.length === 0) return 0
  const unused = await provenUnused(context, candidates)
  for (const { held } of unused) if (held.kind === 'blob') await context.blobs.delete(held.blobId)
  return unused.length
}

import { EngineError, type WriteConditions } from '../engine.ts'
import type { VersionRecord } from '../records/version-record.ts'

/**
 * Evaluates the conditions of a write or a delete against the version they speak of: the current
 * one, or the one that a delete names. Pure; called inside the transaction that the outcome decides.
 *
 * As AWS does on general purpose buckets: If-Match with no object is `NoSuchKey`, everything else
 * that does not hold is `PreconditionFailed`. A delete marker counts as a missing object for a
 * write and fails a delete. Throws `EngineError`; returns when the operation may go on.
 */
export function evaluateConditions(operation: 'write' | 'delete', current: VersionRecord | undefined, conditions: WriteConditions | undefined): void {
  if (conditions === undefined) return
  const { ifMatch, ifNoneMatch, ifMatchSizeBytes, ifMatchLastModifiedMs } = conditions
  if (ifMatch !== undefined || ifMatchSizeBytes !== undefined || ifMatchLastModifiedMs !== undefined) {
    if (operation === 'delete' && current?.kind === 'deleteMarker') throw failed('If-Match')
    if (current?.kind !== 'object') throw new EngineError('NoSuchKey', 'the key does not exist')
    if (ifMatch !== undefined && !matches(ifMatch, current.etag)) throw failed('If-Match')
    if (ifMatchSizeBytes !== undefined && current.sizeBytes !== ifMatchSizeBytes) throw failed('x-amz-if-match-size')
    if (ifMatchLastModifiedMs !== undefined && seconds(current.lastModifiedMs) !== seconds(ifMatchLastModifiedMs)) {
      throw failed('x-amz-if-match-last-modified-time')
    }
  }
  if (ifNoneMatch !== undefined && current?.kind === 'object' && matches(ifNoneMatch, current.etag)) throw failed('If-None-Match')
}

function matches(etags: readonly string[], etag: string): boolean {
  return etags.includes('*') || etags.includes(etag)
}

/** HTTP dates carry whole seconds. */
function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}

function failed(condition: string): EngineError {
  return new EngineError('PreconditionFailed', 'a condition of the request did not hold', { condition })
}

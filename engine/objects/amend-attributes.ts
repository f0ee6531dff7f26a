import type { Engine, ObjectVersion } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { versionRow } from '../keys.ts'
import { toObjectVersion, versionFormat } from '../records/version-record.ts'
import { commit, type EngineContext } from './context.ts'
import { emitObjectEvent, loadKey, loadVersion, readBucket, writeHead } from './key-state.ts'

/** PutObjectAcl: the version's row, rewritten in place. Its bytes, ETag and date stay. */
export function amendAttributes(context: EngineContext, input: Parameters<Engine['amendAttributes']>[0]): Promise<ObjectVersion> {
  const { bucket, key, versionId, amend } = input
  return commit(context, async (tx) => {
    const state = await loadKey(tx, await readBucket(tx, bucket), key)
    const version = await loadVersion(tx, state, versionId)
    if (version === undefined) {
      throw new EngineError(versionId === undefined ? 'NoSuchKey' : 'NoSuchVersion', 'there is nothing to change', { bucket, key })
    }
    if (version.kind === 'deleteMarker') {
      throw new EngineError('IsDeleteMarker', 'a delete marker has no attributes', { bucket, key, versionId: version.versionId })
    }
    const amended = { ...version, attributes: amend(toObjectVersion(key, version)) }
    if (state.head !== undefined && version === state.head.version) writeHead(tx, state, { ...state.head, version: amended })
    else tx.put(versionRow(state.bucket.bucketId, key, version.order), versionFormat.encode(amended))
    emitObjectEvent(context, tx, 'ObjectAcl:Put', state, amended)
    return toObjectVersion(key, amended)
  })
}

import type { Engine, ObjectVersion } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { versionRow } from '../keys.ts'
import { toObjectVersion, versionFormat } from '../records/version-record.ts'
import { commit, type EngineContext } from './context.ts'
import { emitObjectEvent, loadKey, loadVersion, readBucket, writeHead } from './key-state.ts'

/** PutObjectTagging and DeleteObjectTagging (no tags): the version's row, rewritten in place. */
export function putTags(context: EngineContext, input: Parameters<Engine['putTags']>[0]): Promise<ObjectVersion> {
  const { bucket, key, versionId, tags } = input
  return commit(context, async (tx) => {
    const state = await loadKey(tx, await readBucket(tx, bucket), key)
    const version = await loadVersion(tx, state, versionId)
    if (version === undefined) {
      throw new EngineError(versionId === undefined ? 'NoSuchKey' : 'NoSuchVersion', 'there is nothing to tag', { bucket, key })
    }
    if (version.kind === 'deleteMarker') {
      throw new EngineError('IsDeleteMarker', 'a delete marker has no tags', { bucket, key, versionId: version.versionId })
    }
    const tagged = { ...version, tags }
    if (state.head !== undefined && version === state.head.version) writeHead(tx, state, { ...state.head, version: tagged })
    else tx.put(versionRow(state.bucket.bucketId, key, version.order), versionFormat.encode(tagged))
    emitObjectEvent(context, tx, Object.keys(tags).length === 0 ? 'ObjectTagging:Delete' : 'ObjectTagging:Put', state, tagged)
    return toObjectVersion(key, tagged)
  })
}

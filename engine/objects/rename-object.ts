import type { PutResult, RenameObject } from '../engine.ts'
import { toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { share } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { loadSource } from './copy-object.ts'
import { deleteCurrent } from './delete-object.ts'
import { loadKey } from './key-state.ts'
import { publishNew } from './put-object.ts'

/**
 * RenameObject: the current version under another key of the bucket, and a delete of the source, in
 * one commit. Where the bucket is versioned that delete adds a marker and the source's versions stay.
 * A rename of a key to itself checks its conditions and changes nothing.
 */
export function renameObject(context: EngineContext, input: RenameObject): Promise<PutResult> {
  return commit(context, async (tx) => {
    const { state: source, record } = await loadSource(tx, { bucket: input.bucket, key: input.sourceKey })
    evaluateConditions('write', record, input.sourceConditions)
    const isSameKey = input.key === input.sourceKey
    const state = isSameKey ? source : await loadKey(tx, source.bucket, input.key)
    evaluateConditions('write', state.head?.version, input.conditions)
    if (isSameKey) return { version: toObjectVersion(input.key, record), versioning: state.bucket.versioning }
    const { sizeBytes, etag, checksums, partsCount, attributes, tags } = record
    const content = await share(context, tx, record.content)
    await deleteCurrent(context, tx, source, input.ownerId)
    const moved = { sizeBytes, etag, checksums, partsCount, attributes, tags, ownerId: record.ownerId, content }
    return publishNew(context, tx, state, moved, 'ObjectCreated:Rename')
  })
}

import type { CopyObject, ObjectId, ObjectVersion, PutResult } from '../engine.ts'
import { EngineError } from '../engine.ts'
import type { Transaction } from '../metadata/transact.ts'
import { type ObjectRecord, toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { share } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { type KeyState, loadKey, loadVersion, readBucket } from './key-state.ts'
import { publishNew } from './put-object.ts'

/**
 * CopyObject: a new version that holds on to the source's bytes; small inline bytes are copied.
 * Commit point: one commit that checks the source's row, so that its bytes cannot go meanwhile.
 */
export function copyObject(context: EngineContext, input: CopyObject): Promise<PutResult & { readonly source: ObjectVersion }> {
  return commit(context, async (tx) => {
    const { state: sourceState, record } = await loadSource(tx, input.source)
    const source = toObjectVersion(input.source.key, record)
    input.admit?.(source)
    const isSameKey = input.source.bucket === input.bucket && input.source.key === input.key
    const state = isSameKey ? sourceState : await loadKey(tx, await readBucket(tx, input.bucket), input.key)
    evaluateConditions('write', state.head?.version, input.conditions)
    const { ownerId, tags = record.tags } = input
    const attributes = input.attributes ?? input.amend?.(record.attributes) ?? record.attributes
    const { checksums = record.checksums } = input
    const { sizeBytes, etag, partsCount } = record
    const content = await share(context, tx, record.content)
    const copy = { sizeBytes, etag, checksums, partsCount, attributes, tags, ownerId, content }
    return { ...(await publishNew(context, tx, state, copy, 'ObjectCreated:Copy')), source }
  })
}

/** The object that a copy or a rename starts from, checked. `NoSuchKey`, `NoSuchVersion`, `IsDeleteMarker`. */
export async function loadSource(tx: Transaction, { bucket, key, versionId }: ObjectId): Promise<{ state: KeyState; record: ObjectRecord }> {
  const state = await loadKey(tx, await readBucket(tx, bucket), key)
  const version = await loadVersion(tx, state, versionId)
  if (version?.kind === 'object') return { state, record: version }
  if (versionId === undefined) throw new EngineError('NoSuchKey', 'the source does not exist', { bucket, key })
  const code = version === undefined ? 'NoSuchVersion' : 'IsDeleteMarker'
  throw new EngineError(code, 'the source version is not an object', { bucket, key, versionId })
}

import { hash } from 'node:crypto'
import { EngineError, type PutResult, type RenameObject } from '../engine.ts'
import { completedRow, dueRow, idBytes } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import { completedFormat } from '../records/upload-record.ts'
import { type ObjectRecord, toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { share } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { loadSource } from './copy-object.ts'
import { deleteCurrent } from './delete-object.ts'
import { type KeyState, loadKey, readBucket } from './key-state.ts'
import { publishRecord } from './put-object.ts'

/**
 * RenameObject: the current version under another key of the bucket, and a delete of the source, in
 * one commit. Where the bucket is versioned that delete adds a marker and the source's versions stay.
 * A rename of a key to itself checks its conditions and changes nothing. The answer to a request with
 * a client token is remembered as long as a completed upload's.
 */
export function renameObject(context: EngineContext, input: RenameObject): Promise<PutResult> {
  return commit(context, async (tx) => {
    const bucket = await readBucket(tx, input.bucket)
    const request = requestId(bucket.bucketId, input)
    const repeated = request === undefined ? undefined : await repeatedAnswer(tx, request, input)
    if (repeated !== undefined) return repeated
    const { state: source, record } = await loadSource(tx, { bucket: input.bucket, key: input.sourceKey })
    evaluateConditions('write', record, input.sourceConditions)
    const isSameKey = input.key === input.sourceKey
    const state = isSameKey ? source : await loadKey(tx, source.bucket, input.key)
    evaluateConditions('write', state.head?.version, input.conditions)
    const current = state.head?.version
    input.admit?.(toObjectVersion(input.sourceKey, record), current?.kind === 'object' ? toObjectVersion(input.key, current) : undefined)
    const version = isSameKey ? record : await move(context, tx, { source, record, state, input })
    if (request !== undefined) remember(context, tx, request, input, { bucketId: bucket.bucketId, versioning: bucket.versioning, version })
    return { version: toObjectVersion(input.key, version), versioning: bucket.versioning }
  })
}

interface Move {
  readonly source: KeyState
  readonly record: ObjectRecord
  readonly state: KeyState
  readonly input: RenameObject
}

async function move(context: EngineContext, tx: Transaction, { source, record, state, input }: Move): Promise<ObjectRecord> {
  const { sizeBytes, etag, checksums, partsCount, attributes, tags, ownerId } = record
  const content = await share(context, tx, record.content)
  await deleteCurrent(context, tx, source, input.ownerId)
  return publishRecord(context, tx, state, { sizeBytes, etag, checksums, partsCount, attributes, tags, ownerId, content }, 'ObjectCreated:Rename')
}

// ---- repeated requests

/** The id under which a request with a client token is remembered, in the form of an upload's. */
function requestId(bucketId: string, { clientToken }: RenameObject): string | undefined {
  return clientToken === undefined ? undefined : sha256(['rename', bucketId, clientToken]).slice(0, idBytes * 2)
}

const sha256 = (parts: readonly string[]): string => hash('sha256', JSON.stringify(parts))

const fingerprintOf = ({ sourceKey, key }: RenameObject): string => sha256([sourceKey, key])

async function repeatedAnswer(tx: Transaction, request: string, input: RenameObject): Promise<PutResult | undefined> {
  const row = await tx.get(completedRow(request))
  if (row === undefined) return undefined
  const { fingerprint, version, versioning } = completedFormat.decode(row)
  if (fingerprint !== fingerprintOf(input)) throw new EngineError('IdempotencyParameterMismatch', 'the client token belongs to another rename')
  return { version: toObjectVersion(input.key, version), versioning }
}

function remember(
  context: EngineContext,
  tx: Transaction,
  request: string,
  input: RenameObject,
  answer: Omit<Parameters<typeof completedFormat.encode>[0], 'key' | 'fingerprint'>,
): void {
  tx.put(completedRow(request), completedFormat.encode({ ...answer, key: input.key, fingerprint: fingerprintOf(input) }))
  const forgetMs = Math.floor(context.clock.nowMs()) + context.settings.completedUploadMs
  tx.put(dueRow(forgetMs, { kind: 'completed', uploadId: request }), Buffer.alloc(0))
}

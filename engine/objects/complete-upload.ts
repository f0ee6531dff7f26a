import type { CompleteUpload, PutResult } from '../engine.ts'
import { inBatches } from '../../base/batches.ts'
import { completedRow, dueRow, isUploadId, partNumberOf, partRange, partRow } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { Content } from '../records/content.ts'
import { partFormat, type PartRecord, toPart } from '../records/part-record.ts'
import { completedFormat } from '../records/upload-record.ts'
import { toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { drop, holdLayout } from './contents.ts'
import { commit, type EngineContext, newContentId } from './context.ts'
import { loadKey } from './key-state.ts'
import { type CompletionPlan, fingerprintOf, planCompletion } from './plan-completion.ts'
import { planLayout } from './plan-layout.ts'
import { noteUsage } from '../outbox/append-event.ts'
import { publishRecord } from './put-object.ts'
import { noSuchUpload, readUpload } from './uploads.ts'

const maxParts = 10_000
const concurrentReads = 64

/**
 * CompleteMultipartUpload. Commit point: one commit that checks upload, parts and conditions, links
 * the parts' bytes as the version's layout, and remembers the answer. No bytes move.
 */
export function completeUpload(context: EngineContext, input: CompleteUpload): Promise<PutResult> {
  return commit(context, async (tx) => {
    const { bucket, upload } = await readUpload(tx, input)
    if (upload === undefined) return repeatedAnswer(tx, bucket.bucketId, input)
    const stored = await readStoredParts(tx, input)
    const plan = planCompletion(input.parts, stored, input)
    const begun = { bucket: input.bucket, key: input.key, uploadId: input.uploadId, ...upload.record }
    const { etag, checksums } = input.combine(plan.parts.map(toPart), begun)
    const state = await loadKey(tx, bucket, input.key)
    evaluateConditions('write', state.head?.version, input.conditions)
    tx.delete(upload.row)
    dropUnused(context, tx, input.uploadId, stored, plan)
    noteUsage(tx, bucket, -[...stored.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), 0)
    const object = { attributes: upload.record.attributes, tags: upload.record.tags, etag, checksums, sizeBytes: plan.sizeBytes, ownerId: input.ownerId }
    const content = linkParts(context, tx, plan)
    const created = { ...object, content, partsCount: plan.parts.length }
    const version = await publishRecord(context, tx, state, created, 'ObjectCreated:CompleteMultipartUpload')
    remember(context, tx, input, { bucketId: bucket.bucketId, versioning: bucket.versioning, version })
    return { version: toObjectVersion(input.key, version), versioning: bucket.versioning }
  })
}

/** Every part of the upload, each one checked: a part replaced meanwhile makes the commit start over. */
async function readStoredParts(tx: Transaction, { uploadId, parts }: CompleteUpload): Promise<Map<number, PartRecord>> {
  const rows = await tx.list({ ...partRange(uploadId), limit: maxParts })
  const numbers = new Set([...rows.map((row) => partNumberOf(row.key)), ...parts.map(({ partNumber }) => partNumber)])
  const stored = new Map<number, PartRecord>()
  await inBatches([...numbers], concurrentReads, async (partNumber) => {
    const row = await tx.get(partRow(uploadId, partNumber))
    if (row !== undefined) stored.set(partNumber, partFormat.decode(row))
  })
  return stored
}

/** The parts' rows go; bytes of parts that the completion left out become garbage. */
function dropUnused(
  context: EngineContext,
  tx: Transaction,
  uploadId: string,
  stored: ReadonlyMap<number, PartRecord>,
  plan: CompletionPlan,
): void {
  const used = new Set(plan.parts.map(({ partNumber }) => partNumber))
  for (const [partNumber, part] of stored) {
    tx.delete(partRow(uploadId, partNumber))
    if (!used.has(partNumber)) drop(context, tx, part.content)
  }
}

/** The layout takes over the parts' contents, references and all. */
function linkParts(context: EngineContext, tx: Transaction, { parts }: CompletionPlan): Content {
  const layoutId = newContentId(context)
  for (const { key, value } of planLayout(layoutId, parts)) tx.put(key, value)
  return holdLayout(context, tx, layoutId)
}

function remember(
  context: EngineContext,
  tx: Transaction,
  { key, uploadId, parts }: CompleteUpload,
  answer: Omit<Parameters<typeof completedFormat.encode>[0], 'key' | 'fingerprint'>,
): void {
  tx.put(completedRow(uploadId), completedFormat.encode({ ...answer, key, fingerprint: fingerprintOf(parts) }))
  // A part that arrived after the parts were listed is nobody's: the collector finds its row.
  tx.put(dueRow(Math.floor(context.clock.nowMs()), { kind: 'upload', uploadId }), Buffer.from(answer.bucketId, 'hex'))
  const forgetMs = Math.floor(context.clock.nowMs()) + context.settings.completedUploadMs
  tx.put(dueRow(forgetMs, { kind: 'completed', uploadId }), Buffer.alloc(0))
}

/** `NoSuchUpload` unless this upload was completed with the same parts. */
async function repeatedAnswer(tx: Transaction, bucketId: string, input: CompleteUpload): Promise<PutResult> {
  const row = isUploadId(input.uploadId) ? await tx.get(completedRow(input.uploadId)) : undefined
  const completed = row === undefined ? undefined : completedFormat.decode(row)
  const isSame = completed?.bucketId === bucketId && completed.key === input.key && completed.fingerprint === fingerprintOf(input.parts)
  if (completed === undefined || !isSame) throw noSuchUpload(input)
  return { version: toObjectVersion(input.key, completed.version), versioning: completed.versioning }
}

import type { CopyPart, CreateUpload, Digest, Engine, Part, PutPart, Upload, UploadId } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { dueRow, idTailBytes, isUploadId, partRange, partRow, uploadIdFrom, uploadRow } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import { appendEvent, noteUsage } from '../outbox/append-event.ts'
import { partFormat, toPart } from '../records/part-record.ts'
import { type UploadRecord, uploadFormat } from '../records/upload-record.ts'
import { attach, drop, stage, type Staged, withStaged } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { getObject } from './get-object.ts'
import { findBucket, readBucket } from './key-state.ts'

/** CreateMultipartUpload: one row. Its id sorts by initiation. */
export function createUpload(context: EngineContext, input: CreateUpload): Promise<Upload> {
  const { bucket: bucketName, key, ownerId, attributes, tags = {}, checksum } = input
  return commit(context, async (tx) => {
    const bucket = await readBucket(tx, bucketName)
    const initiatedMs = Math.floor(context.clock.nowMs())
    const uploadId = uploadIdFrom(initiatedMs * 1000, context.random.bytes(idTailBytes))
    const record: UploadRecord = { initiatedMs, ownerId, attributes, tags, checksum }
    tx.put(uploadRow(bucket.bucketId, key, uploadId), uploadFormat.encode(record))
    appendEvent(context, tx, { type: 'UploadCreated', subject: `${bucketName}/${key}`, detail: { uploadId } })
    return { bucket: bucketName, key, uploadId, ...record }
  })
}

/** The upload, checked: a part or a completion cannot be committed once it is gone. */
export async function readUpload(tx: Transaction, { bucket: bucketName, key, uploadId }: UploadId) {
  const bucket = await readBucket(tx, bucketName)
  const row = isUploadId(uploadId) ? uploadRow(bucket.bucketId, key, uploadId) : undefined
  const stored = row === undefined ? undefined : await tx.get(row)
  if (row === undefined || stored === undefined) return { bucket, upload: undefined }
  return { bucket, upload: { row, record: uploadFormat.decode(stored) } }
}

export function noSuchUpload({ uploadId }: UploadId): EngineError {
  return new EngineError('NoSuchUpload', 'the upload does not exist, or was completed or aborted', { uploadId })
}

export async function getUpload(context: EngineContext, id: UploadId): Promise<Upload> {
  const { bucketId } = await findBucket(context.metadata, id.bucket)
  if (!isUploadId(id.uploadId)) throw noSuchUpload(id)
  const row = await context.metadata.get(uploadRow(bucketId, id.key, id.uploadId))
  if (row === undefined) throw noSuchUpload(id)
  return { bucket: id.bucket, key: id.key, uploadId: id.uploadId, ...uploadFormat.decode(row.value) }
}

/**
 * UploadPart: bytes first, then one commit that checks the upload and puts the part's row. A part
 * of the same number before it becomes garbage.
 */
export async function putPart(context: EngineContext, input: PutPart): Promise<Part> {
  const refuseEarly = async () => (await getUpload(context, input)).attributes.storageClass
  const body = await stage(context, input.body, context.settings.inlineBytes, refuseEarly)
  return withStaged(context, body, async (staged) => publishPart(context, input, staged, await input.finish(staged.sizeBytes)))
}

/** UploadPartCopy: as `putPart`, with the bytes of a range of an object. */
export async function copyPart(context: EngineContext, input: CopyPart): Promise<Part> {
  const reader = await getObject(context, input.source)
  input.admit?.(reader.version)
  const digest = input.digest()
  const range = input.range ?? { offset: 0, length: reader.version.sizeBytes }
  if (range.offset + range.length > reader.version.sizeBytes) {
    throw new EngineError('InvalidRange', 'the range is not within the source', { sizeBytes: String(reader.version.sizeBytes) })
  }
  async function* digested() {
    for await (const bytes of reader.read(range)) {
      digest.update(bytes)
      yield bytes
    }
  }
  const finish = (sizeBytes: number) => digest.finish(sizeBytes)
  const { bucket, key, uploadId, partNumber } = input
  return putPart(context, { bucket, key, uploadId, partNumber, body: digested(), finish })
}

function publishPart(context: EngineContext, input: Omit<PutPart, 'body' | 'finish'>, staged: Staged, digest: Digest): Promise<Part> {
  const { uploadId, partNumber } = input
  return commit(context, async (tx) => {
    const { bucket, upload } = await readUpload(tx, input)
    if (upload === undefined) throw noSuchUpload(input)
    const row = partRow(uploadId, partNumber)
    const stored = await tx.get(row)
    const replaced = stored === undefined ? undefined : partFormat.decode(stored)
    if (replaced !== undefined) drop(context, tx, replaced.content)
    noteUsage(tx, bucket, staged.sizeBytes - (replaced?.sizeBytes ?? 0), 0)
    const { etag, checksums } = digest
    const lastModifiedMs = Math.floor(context.clock.nowMs())
    const part = { partNumber, sizeBytes: staged.sizeBytes, etag, checksums, lastModifiedMs, content: await attach(context, tx, staged) }
    tx.put(row, partFormat.encode(part))
    return toPart(part)
  })
}

/** AbortMultipartUpload: the upload's row goes; its parts are collected in the background. */
export function abortUpload(context: EngineContext, id: UploadId): Promise<void> {
  return commit(context, async (tx) => {
    const { bucket, upload } = await readUpload(tx, id)
    if (upload === undefined) throw noSuchUpload(id)
    tx.delete(upload.row)
    tx.put(dueRow(Math.floor(context.clock.nowMs()), { kind: 'upload', uploadId: id.uploadId }), Buffer.from(bucket.bucketId, 'hex'))
    appendEvent(context, tx, { type: 'UploadAborted', subject: `${id.bucket}/${id.key}`, detail: { uploadId: id.uploadId } })
  })
}

export async function listParts(context: EngineContext, input: Parameters<Engine['listParts']>[0]): Promise<{ parts: Part[]; truncated: boolean }> {
  await getUpload(context, input)
  if (input.limit === 0) return { parts: [], truncated: false }
  const rows = await context.metadata.list({ ...partRange(input.uploadId, input.after), limit: input.limit + 1 })
  const parts = rows.slice(0, input.limit).map(({ value }) => toPart(partFormat.decode(value)))
  return { parts, truncated: rows.length > input.limit }
}

import type { Bucket, CreateBucket, Engine } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { bucketRange, bucketRow, bucketScopeRange, documentRange, documentRow, hexOf, tables } from '../keys.ts'
import { appendEvent } from '../outbox/append-event.ts'
import { bucketFormat } from '../records/bucket-record.ts'
import type { Transaction } from '../metadata/transact.ts'
import { commit, type EngineContext } from './context.ts'
import { changeBucketCount } from '../usage/usage.ts'
import { findBucket, readBucket } from './key-state.ts'

const bucketIdBytes = 8

/** CreateBucket. `BucketAlreadyExists` names the owner, so that the caller can tell its own from another's. */
export function createBucket(context: EngineContext, { bucket: name, ownerId, region, versioning, documents = {}, mostBuckets }: CreateBucket): Promise<Bucket> {
  return commit(context, async (tx) => {
    const existing = await tx.get(bucketRow(name))
    if (existing !== undefined) {
      throw new EngineError('BucketAlreadyExists', 'the bucket exists', { bucket: name, ownerId: bucketFormat.decode(existing).ownerId })
    }
    const bucketId = hexOf(context.random.bytes(bucketIdBytes))
    await changeBucketCount(tx, { bucketId, ownerId }, 1, mostBuckets)
    const createdAtMs = Math.floor(context.clock.nowMs())
    const documentsRevision = Object.keys(documents).length === 0 ? 0 : 1
    const record = { bucketId, ownerId, region, createdAtMs, versioning: versioning ?? ('Unversioned' as const), documentsRevision }
    tx.put(bucketRow(name), bucketFormat.encode(record))
    for (const [document, bytes] of Object.entries(documents)) tx.put(documentRow(bucketId, document), bytes)
    appendEvent(context, tx, { type: 'BucketCreated', subject: name, detail: { bucketId } })
    return { name, ...record }
  })
}

/** DeleteBucket. The emptiness is checked by the commit itself, so no write can slip in. */
export function deleteBucket(context: EngineContext, name: string): Promise<void> {
  return commit(context, async (tx) => {
    const { bucketId, ownerId } = await readBucket(tx, name)
    for (const table of [tables.object, tables.marker, tables.version, tables.upload]) {
      const range = bucketScopeRange(table, bucketId)
      const [row] = await tx.list({ ...range, limit: 1 })
      if (row !== undefined) throw new EngineError('BucketNotEmpty', 'the bucket is not empty', { bucket: name })
      tx.requireEmpty(range)
    }
    const documents = await tx.list({ ...documentRange(bucketId), limit: maxDocuments })
    for (const { key } of documents) tx.delete(key)
    tx.delete(bucketRow(name))
    await changeBucketCount(tx, { bucketId, ownerId }, -1)
    appendEvent(context, tx, { type: 'BucketRemoved', subject: name, detail: { bucketId } })
  })
}

/** More documents than S3 has kinds of bucket configuration. */
const maxDocuments = 1000

export async function listBuckets(context: EngineContext, { prefix = '', after, limit }: Parameters<Engine['listBuckets']>[0]): Promise<Bucket[]> {
  if (limit === 0) return []
  const rows = await context.metadata.list({ ...bucketRange(prefix, after), limit })
  return rows.map(({ key, value }) => ({ name: key.toString('utf8', 1), ...bucketFormat.decode(value) }))
}

export function setVersioning(context: EngineContext, name: string, versioning: 'Enabled' | 'Suspended'): Promise<void> {
  return commit(context, async (tx) => {
    const { name: _, ...bucket } = await readBucket(tx, name)
    if (bucket.versioning === versioning) return
    tx.put(bucketRow(name), bucketFormat.encode({ ...bucket, versioning }))
    appendEvent(context, tx, { type: 'BucketVersioningChanged', subject: name, detail: { versioning } })
  })
}

export async function getBucketDocument(context: EngineContext, bucketName: string, name: string): Promise<Buffer | undefined> {
  const { bucketId } = await findBucket(context.metadata, bucketName)
  return (await context.metadata.get(documentRow(bucketId, name)))?.value
}

export function putBucketDocument(context: EngineContext, bucketName: string, name: string, document: Uint8Array): Promise<void> {
  return commit(context, async (tx) => {
    const { bucketId } = await revise(tx, bucketName)
    tx.put(documentRow(bucketId, name), document)
    appendEvent(context, tx, { type: 'BucketDocumentChanged', subject: bucketName, detail: { name } })
  })
}

/** The bucket, whose documents are about to change. */
async function revise(tx: Transaction, bucketName: string): Promise<Bucket> {
  const { name, ...bucket } = await readBucket(tx, bucketName)
  const revised = { ...bucket, documentsRevision: bucket.documentsRevision + 1 }
  tx.put(bucketRow(name), bucketFormat.encode(revised))
  return { name, ...revised }
}

export function deleteBucketDocument(context: EngineContext, bucketName: string, name: string): Promise<void> {
  return commit(context, async (tx) => {
    const { bucketId } = await readBucket(tx, bucketName)
    const row = documentRow(bucketId, name)
    if ((await tx.get(row)) === undefined) return
    tx.delete(row)
    await revise(tx, bucketName)
    appendEvent(context, tx, { type: 'BucketDocumentChanged', subject: bucketName, detail: { name } })
  })
}

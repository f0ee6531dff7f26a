import { assert } from '../../base/assert.ts'
import { type Bucket, EngineError } from '../engine.ts'
import { bucketRow, historyRange, idTailBytes, keyRow, orderOfVersionId, tables, versionIdFrom, versionRow } from '../keys.ts'
import type { MetadataReader } from '../metadata/metadata-store.ts'
import type { Transaction } from '../metadata/transact.ts'
import { appendEvent, noteUsage } from '../outbox/append-event.ts'
import { bucketFormat } from '../records/bucket-record.ts'
import { type HeadRecord, headFormat, type ObjectRecord, type VersionRecord, versionFormat } from '../records/version-record.ts'
import { drop } from './contents.ts'
import { type EngineContext, noSuchBucket, StaleReadError } from './context.ts'
import { placeOf, planHistoryDelete, planPromotion, type WritePlan } from './version-plan.ts'

/** A bucket inside a transaction, checked. `NoSuchBucket`. */
export async function readBucket(tx: Transaction, name: string): Promise<Bucket> {
  const row = await tx.get(bucketRow(name))
  if (row === undefined) throw noSuchBucket(name)
  return { name, ...bucketFormat.decode(row) }
}

/** A bucket outside of transactions. `NoSuchBucket`. */
export async function findBucket(reader: MetadataReader, name: string): Promise<Bucket> {
  const entry = await reader.get(bucketRow(name))
  if (entry === undefined) throw noSuchBucket(name)
  return { name, ...bucketFormat.decode(entry.value) }
}

/** One key inside a transaction: its head row is checked, and the history through it. */
export interface KeyState {
  readonly bucket: Bucket
  readonly key: string
  readonly head: HeadRecord | undefined
}

export async function loadKey(tx: Transaction, bucket: Bucket, key: string): Promise<KeyState> {
  const live = await tx.get(keyRow(tables.object, bucket.bucketId, key))
  // A bucket that was never versioned has no delete markers, and the commit checks its row.
  const marker = bucket.versioning === 'Unversioned' ? undefined : await tx.get(keyRow(tables.marker, bucket.bucketId, key))
  // Two reads are two snapshots: a key seen in both tables has moved between them.
  if (live !== undefined && marker !== undefined) throw new StaleReadError()
  const row = live ?? marker
  return { bucket, key, head: row === undefined ? undefined : headFormat.decode(row) }
}

/** The version that an id names, checked; no id: the latest, delete markers included. */
export async function loadVersion(tx: Transaction, state: KeyState, versionId: string | undefined): Promise<VersionRecord | undefined> {
  if (versionId === undefined) return state.head?.version
  const place = placeOf(state.head, versionId, orderOfVersionId(versionId))
  if (place.kind === 'nowhere') return undefined
  if (place.kind === 'head') return state.head?.version
  const row = await tx.get(versionRow(state.bucket.bucketId, state.key, place.order))
  const version = row === undefined ? undefined : versionFormat.decode(row)
  return version?.versionId === versionId ? version : undefined
}

type NewVersion = VersionRecord extends infer V ? (V extends VersionRecord ? Omit<V, 'versionId' | 'order' | 'lastModifiedMs'> : never) : never

/** `Pinned` while the latest version has a holder. Every way to replace or delete it comes through here. */
function requireUnpinned({ bucket, key, head }: KeyState): void {
  if (head !== undefined && head.pins > 0) throw new EngineError('Pinned', 'the object is in use and cannot be replaced or deleted', { bucket: bucket.name, key })
}

/** Carries out a planned write, of a version with `pins` holders; the record as it is stored. `Pinned`. */
export async function publish(
  context: EngineContext,
  tx: Transaction,
  state: KeyState,
  plan: WritePlan,
  version: NewVersion,
  pins = 0,
): Promise<VersionRecord> {
  requireUnpinned(state)
  const { bucket, key, head } = state
  if (head !== undefined && plan.before === 'demoted') {
    tx.put(versionRow(bucket.bucketId, key, head.version.order), versionFormat.encode(head.version))
  }
  if (head !== undefined && plan.before === 'replaced') dropVersion(context, tx, bucket, head.version)
  if (plan.replacedOrder !== undefined) await removeHistory(context, tx, state, plan.replacedOrder)
  const versionId = plan.versionId === 'null' ? 'null' : versionIdFrom(plan.order, context.random.bytes(idTailBytes))
  const lastModifiedMs = Math.floor(context.clock.nowMs())
  const record: VersionRecord = { ...version, versionId, order: plan.order, lastModifiedMs }
  if (record.kind === 'object') noteUsage(tx, bucket, record.sizeBytes, 1)
  writeHead(tx, state, { version: record, nullOrder: plan.nullOrder, hasHistory: plan.hasHistory, pins })
  return record
}

/** As `publish`, for an object. */
export async function publishObject(
  context: EngineContext,
  tx: Transaction,
  state: KeyState,
  plan: WritePlan,
  object: Omit<ObjectRecord, 'versionId' | 'order' | 'lastModifiedMs'>,
  pins = 0,
): Promise<ObjectRecord> {
  const record = await publish(context, tx, state, plan, object, pins)
  assert(record.kind === 'object', 'publishing an object makes an object')
  return record
}

/** Deletes the latest version for good; the newest noncurrent one takes its place. `Pinned`. */
export async function removeHead(context: EngineContext, tx: Transaction, state: KeyState): Promise<void> {
  requireUnpinned(state)
  const { bucket, key, head } = state
  assert(head !== undefined, 'there is a latest version to remove')
  dropVersion(context, tx, bucket, head.version)
  const history = head.hasHistory ? await tx.list({ ...historyRange(bucket.bucketId, key), limit: 2 }) : []
  const [newest] = history
  if (newest === undefined) return writeHead(tx, state, undefined)
  const promoted = await tx.get(newest.key)
  if (promoted === undefined) throw new StaleReadError()
  tx.delete(newest.key)
  writeHead(tx, state, planPromotion(head, versionFormat.decode(promoted), history.length > 1))
}

/** Deletes a noncurrent version for good. */
export async function removeNoncurrent(context: EngineContext, tx: Transaction, state: KeyState, order: number): Promise<void> {
  const { bucket, key, head } = state
  assert(head !== undefined, 'a key with a history has a latest version')
  await removeHistory(context, tx, state, order)
  // The head row is checked, and every change of the history writes it: two rows tell for sure.
  const history = await tx.list({ ...historyRange(bucket.bucketId, key), limit: 2 })
  writeHead(tx, state, planHistoryDelete(head, order, history.length > 1))
}

async function removeHistory(context: EngineContext, tx: Transaction, state: KeyState, order: number): Promise<void> {
  const row = versionRow(state.bucket.bucketId, state.key, order)
  const stored = await tx.get(row)
  if (stored === undefined) throw new StaleReadError()
  dropVersion(context, tx, state.bucket, versionFormat.decode(stored))
  tx.delete(row)
}

function dropVersion(context: EngineContext, tx: Transaction, bucket: Bucket, version: VersionRecord): void {
  if (version.kind !== 'object') return
  drop(context, tx, version.content)
  noteUsage(tx, bucket, -version.sizeBytes, -1)
}

/** Writes the head row in the table of its kind and removes it from the other. */
export function writeHead(tx: Transaction, { bucket, key, head }: KeyState, next: HeadRecord | undefined): void {
  const before = head === undefined ? undefined : headTable(head)
  const after = next === undefined ? undefined : headTable(next)
  if (before !== undefined && before !== after) tx.delete(keyRow(before, bucket.bucketId, key))
  if (next !== undefined && after !== undefined) tx.put(keyRow(after, bucket.bucketId, key), headFormat.encode(next))
}

function headTable(head: HeadRecord): typeof tables.object | typeof tables.marker {
  return head.version.kind === 'object' ? tables.object : tables.marker
}

/** Appends what happened to an object to the outbox, in the same commit. */
export function emitObjectEvent(context: EngineContext, tx: Transaction, type: string, state: KeyState, version: VersionRecord): void {
  const detail =
    version.kind === 'object'
      ? { versionId: version.versionId, sizeBytes: version.sizeBytes, etag: version.etag }
      : { versionId: version.versionId }
  appendEvent(context, tx, { type, subject: `${state.bucket.name}/${state.key}`, detail })
}

import { assert } from '../../base/assert.ts'
import type { Bucket, GetObject, ObjectHead, ObjectReader, Part } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { contentRow, keyRow, orderOfVersionId, tables, versionRow } from '../keys.ts'
import type { SegmentContent } from '../records/content.ts'
import { type HeadRecord, headFormat, type ObjectRecord, toObjectVersion, type VersionRecord, versionFormat } from '../records/version-record.ts'
import { corruptContent } from './contents.ts'
import type { EngineContext } from './context.ts'
import { findBucket } from './key-state.ts'
import { readExtents, readParts, readSegments } from './layout.ts'
import { placeOf } from './version-plan.ts'

/** HeadObject: the version's record; its bytes are not touched. */
export async function headObject(context: EngineContext, input: GetObject): Promise<ObjectHead> {
  const bucket = await findBucket(context.metadata, input.bucket)
  return headOf(context, bucket, input.key, await findObject(context, bucket, input))
}

/** GetObject. Small bytes are read here, together with the version that they belong to. */
export async function getObject(context: EngineContext, input: GetObject): Promise<ObjectReader> {
  const bucket = await findBucket(context.metadata, input.bucket)
  let gone: string | undefined
  for (;;) {
    const record = await findObject(context, bucket, input)
    const { content } = record
    if (content.kind !== 'inline') return { ...headOf(context, bucket, input.key, record), read: (range) => readRange(context, record, range) }
    const bytes = (await context.metadata.get(contentRow(content.contentId)))?.value
    if (bytes !== undefined && bytes.length !== record.sizeBytes) throw corruptContent(content.contentId)
    if (bytes !== undefined) return { ...headOf(context, bucket, input.key, record), bytes, read: (range) => readInline(record, bytes, range) }
    // The version was replaced between the two reads; seen twice, its bytes are lost.
    if (gone === content.contentId) throw corruptContent(content.contentId)
    gone = content.contentId
  }
}

function headOf(context: EngineContext, bucket: Bucket, key: string, record: ObjectRecord): ObjectHead {
  const extents = () => readExtents(context.metadata, record)
  return { version: toObjectVersion(key, record), versioning: bucket.versioning, parts: () => partsOf(context, record), extents }
}

async function partsOf(context: EngineContext, record: ObjectRecord): Promise<readonly Part[]> {
  return record.partsCount === undefined || record.content.kind !== 'segments' ? [] : readParts(context, record.content.layoutId, record.partsCount)
}

/** `NoSuchKey`, `NoSuchVersion`, or `IsDeleteMarker` with the marker's version id. */
async function findObject(context: EngineContext, bucket: Bucket, { key, versionId }: GetObject): Promise<ObjectRecord> {
  const version = await findVersion(context, bucket, key, versionId)
  if (version === undefined) {
    if (versionId === undefined) throw new EngineError('NoSuchKey', 'the key does not exist', { key })
    throw new EngineError('NoSuchVersion', 'the version does not exist', { key, versionId })
  }
  if (version.kind === 'object') return version
  const detail = { key, versionId: version.versionId, lastModifiedMs: String(version.lastModifiedMs) }
  if (versionId === undefined) throw new EngineError('NoSuchKey', 'the latest version is a delete marker', { ...detail, deleteMarker: 'true' })
  throw new EngineError('IsDeleteMarker', 'the version is a delete marker', detail)
}

/** The version that an id names, or the latest; delete markers included. */
async function findVersion(context: EngineContext, bucket: Bucket, key: string, versionId: string | undefined): Promise<VersionRecord | undefined> {
  let seen: number | undefined
  for (;;) {
    const found = await findHead(context, bucket, key)
    if (versionId === undefined || found === undefined) return found?.head.version
    const place = placeOf(found.head, versionId, orderOfVersionId(versionId))
    if (place.kind === 'nowhere') return undefined
    if (place.kind === 'head') return found.head.version
    const row = await context.metadata.get(versionRow(bucket.bucketId, key, place.order))
    const version = row === undefined ? undefined : versionFormat.decode(row.value)
    if (version?.versionId === versionId) return version
    // It may have been promoted between the two reads; with the head unchanged it does not exist.
    if (seen === found.rowVersion) return undefined
    seen = found.rowVersion
  }
}

async function findHead(context: EngineContext, bucket: Bucket, key: string): Promise<{ head: HeadRecord; rowVersion: number } | undefined> {
  const rows = [keyRow(tables.object, bucket.bucketId, key)]
  // Between two reads a head may move from one table to the other: twice in a row it does not.
  if (bucket.versioning !== 'Unversioned') rows.push(keyRow(tables.marker, bucket.bucketId, key), ...rows)
  for (const row of rows) {
    const found = await context.metadata.get(row)
    if (found !== undefined) return { head: headFormat.decode(found.value), rowVersion: found.version }
  }
  return undefined
}

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

async function* readInline(record: ObjectRecord, bytes: Buffer, range: ByteRange): AsyncGenerator<Buffer> {
  checkRange(record, range)
  if (range.length > 0) yield bytes.subarray(range.offset, range.offset + range.length)
}

function checkRange({ sizeBytes }: ObjectRecord, { offset, length }: ByteRange): void {
  if (offset < 0 || length < 0 || offset + length > sizeBytes) {
    throw new EngineError('InvalidRange', 'the range is not within the object', { sizeBytes: String(sizeBytes) })
  }
}

/** The bytes of any object's range, at the reader's pace. */
async function* readRange(context: EngineContext, record: ObjectRecord, range: ByteRange): AsyncGenerator<Buffer> {
  checkRange(record, range)
  if (range.length === 0) return
  const { content } = record
  if (content.kind === 'segments') yield* readSegments(context, content.layoutId, range)
  else yield* readContent(context, content, range)
}

/** The bytes of one blob or inline content. */
export async function* readContent(context: EngineContext, content: SegmentContent, range: ByteRange): AsyncGenerator<Buffer> {
  if (range.length === 0) return
  assert(content.kind !== 'empty', 'an empty content has no bytes to read')
  if (content.kind === 'blob') return yield* context.blobs.read(content.blob, range)
  if (content.kind === 'slice') return yield* readSegments(context, content.layoutId, { offset: content.offset + range.offset, length: range.length })
  const bytes = (await context.metadata.get(contentRow(content.contentId)))?.value
  if (bytes === undefined || bytes.length < range.offset + range.length) throw corruptContent(content.contentId)
  yield bytes.subarray(range.offset, range.offset + range.length)
}

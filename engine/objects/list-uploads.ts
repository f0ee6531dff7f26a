import type { ListUploads, UploadListing } from '../engine.ts'
import { afterPrefix, boundRow, decodeKey, isUploadId, keyEnd, tables, uploadIdOf, uploadRow } from '../keys.ts'
import type { KeyRange } from '../metadata/metadata-store.ts'
import { uploadFormat } from '../records/upload-record.ts'
import type { EngineContext } from './context.ts'
import { findBucket } from './key-state.ts'
import { commonPrefixEnd, type Grouping, groupingOf, startAfter } from './list-objects.ts'
import { RowCursor } from './row-cursor.ts'

/** ListMultipartUploads: by key, then by initiation. */
export async function listUploads(context: EngineContext, input: ListUploads): Promise<UploadListing> {
  const { bucket, prefix = '', delimiter, limit } = input
  const { bucketId } = await findBucket(context.metadata, bucket)
  if (limit === 0) return { entries: [], truncated: false }
  const grouping = groupingOf(tables.upload, bucketId, prefix, delimiter)
  const cursor = new RowCursor(context.metadata, startOf(grouping, input), delimiter === undefined ? limit + 1 : undefined)
  const entries: UploadListing['entries'][number][] = []
  for (;;) {
    const row = cursor.current ?? (await cursor.fetch())
    if (row === undefined) return { entries, truncated: false }
    if (entries.length === limit) return { entries, truncated: true }
    const groupEnd = commonPrefixEnd(grouping, row.key)
    if (groupEnd === undefined) {
      const key = decodeKey(row.key, keyEnd(row.key))
      entries.push({ kind: 'upload', bucket, key, uploadId: uploadIdOf(row.key), ...uploadFormat.decode(row.value) })
      cursor.next()
    } else {
      entries.push({ kind: 'commonPrefix', prefix: decodeKey(row.key, groupEnd) })
      cursor.seek(afterPrefix(row.key.subarray(0, groupEnd)))
    }
  }
}

/** With both markers: later uploads of that key, then the keys after it. */
function startOf(grouping: Grouping, { keyMarker, uploadIdMarker }: ListUploads): KeyRange {
  const whole = startAfter(grouping, keyMarker)
  if (keyMarker === undefined || uploadIdMarker === undefined || !isUploadId(uploadIdMarker)) return whole
  const stem = boundRow(tables.upload, grouping.bucketId, keyMarker)
  const isListed = Buffer.compare(stem, grouping.range.start) >= 0 && Buffer.compare(stem, grouping.range.end) < 0
  if (!isListed || commonPrefixEnd(grouping, stem) !== undefined) return whole
  const start = Buffer.concat([uploadRow(grouping.bucketId, keyMarker, uploadIdMarker), Buffer.of(0)])
  return { start, end: whole.end }
}

import { assert } from '../../base/assert.ts'
import type { CommonPrefix, ListObjects, ObjectListing, ObjectVersion } from '../engine.ts'
import { afterKey, afterPrefix, boundRow, decodeKey, encodeText, keyEnd, type KeyTable, objectKeyOf, prefixRange, tables } from '../keys.ts'
import type { KeyRange } from '../metadata/metadata-store.ts'
import { headFormat, toObjectVersion } from '../records/version-record.ts'
import type { EngineContext } from './context.ts'
import { findBucket } from './key-state.ts'
import { RowCursor } from './row-cursor.ts'

/** ListObjects (both versions of it): a walk over the head rows of live objects, and nothing else. */
export async function listObjects(context: EngineContext, input: ListObjects): Promise<ObjectListing> {
  const { prefix = '', delimiter, after, limit } = input
  const { bucketId } = await findBucket(context.metadata, input.bucket)
  if (limit === 0) return { entries: [], truncated: false }
  const grouping = groupingOf(tables.object, bucketId, prefix, delimiter)
  const range = startAfter(grouping, after)
  const cursor = new RowCursor(context.metadata, range, delimiter === undefined ? limit + 1 : undefined)
  const entries: (ObjectVersion | CommonPrefix)[] = []
  for (;;) {
    const row = cursor.current ?? (await cursor.fetch())
    if (row === undefined) return { entries, truncated: false }
    if (entries.length === limit) return { entries, truncated: true }
    const groupEnd = commonPrefixEnd(grouping, row.key)
    if (groupEnd === undefined) {
      const { version } = headFormat.decode(row.value)
      assert(version.kind === 'object', 'the table of live heads holds objects')
      entries.push(toObjectVersion(objectKeyOf(row.key), version))
      cursor.next()
    } else {
      entries.push({ kind: 'commonPrefix', prefix: decodeKey(row.key, groupEnd) })
      cursor.seek(afterPrefix(row.key.subarray(0, groupEnd)))
    }
  }
}

/** Which rows a listing covers, and which of them are one common prefix. */
export interface Grouping {
  readonly table: KeyTable
  readonly bucketId: string
  readonly range: KeyRange
  readonly delimiter: Buffer | undefined
}

export function groupingOf(table: Grouping['table'], bucketId: string, prefix: string, delimiter: string | undefined): Grouping {
  const encoded = delimiter === undefined || delimiter === '' ? undefined : encodeText(delimiter)
  return { table, bucketId, range: prefixRange(table, bucketId, prefix), delimiter: encoded }
}

/** Where in the row's bytes its common prefix ends; undefined when the row stands for itself. */
export function commonPrefixEnd({ range, delimiter }: Grouping, row: Buffer): number | undefined {
  if (delimiter === undefined) return undefined
  const at = row.indexOf(delimiter, range.start.length)
  return at === -1 || at > keyEnd(row) ? undefined : at + delimiter.length
}

/** The listing's range after a key or a common prefix: neither it nor anything it stands for comes again. */
export function startAfter(grouping: Grouping, after: string | undefined): KeyRange {
  if (after === undefined) return grouping.range
  const { start: first, end } = grouping.range
  const stem = boundRow(grouping.table, grouping.bucketId, after)
  const beginsWithPrefix = Buffer.compare(stem.subarray(0, first.length), first) === 0
  const groupEnd = beginsWithPrefix ? commonPrefixEnd(grouping, stem) : undefined
  const start = groupEnd === undefined ? afterKey(stem) : afterPrefix(stem.subarray(0, groupEnd))
  return { start: Buffer.compare(start, first) > 0 ? start : first, end }
}

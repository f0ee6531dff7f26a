import { must } from '../../base/assert.ts'
import type { BlobRef } from '../blobs/blob-store.ts'
import { tableRange, tables } from '../keys.ts'
import type { MetadataReader, Row } from '../metadata/metadata-store.ts'
import type { Content, SegmentContent } from '../records/content.ts'
import { layoutFormat, partFormat } from '../records/part-record.ts'
import { headFormat, versionFormat, type VersionRecord } from '../records/version-record.ts'

/**
 * The tables whose rows use blobs. Versions are demoted from the first to the second, and parts linked from the third
 * into the fourth: what moves on in time is met again further on.
 */
export const usingTables = [tables.object, tables.version, tables.part, tables.layout] as const

/** One use of a blob by a row. */
export interface BlobUse {
  readonly row: Buffer
  readonly contentId: string
  readonly blob: BlobRef
}

const rowsPerChunk = 200

/** Rows of one of the tables, after `after`, in order, as they are when they are come to. */
export async function* usingRows(reader: MetadataReader, table: number, after: Uint8Array | undefined, signal?: AbortSignal): AsyncGenerator<readonly Row[]> {
  const { start: first, end } = tableRange(table)
  let start: Uint8Array = after === undefined ? first : Buffer.concat([after, Buffer.of(0)])
  while (signal?.aborted !== true) {
    const rows = await reader.list({ start, end, limit: rowsPerChunk })
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    start = Buffer.concat([last.key, Buffer.of(0)])
  }
}

/** The blobs that a row uses, by its table. Throws `Corrupt`. */
export function usesIn({ key, value }: Pick<Row, 'key' | 'value'>): BlobUse[] {
  return contentsIn(key, value).flatMap((content) => (content.kind === 'blob' ? [{ row: key, contentId: content.contentId, blob: content.blob }] : []))
}

/** The set of a blob: whole ones are on the lone drive of the first. */
export function setOfBlob({ layout }: BlobRef): number {
  return layout.kind === 'stripes' ? layout.set : 0
}

function contentsIn(row: Buffer, value: Buffer): readonly Content[] {
  switch (row[0]) {
    case tables.object:
      return contentsOf(headFormat.decode(value).version)
    case tables.version:
      return contentsOf(versionFormat.decode(value))
    case tables.part:
      return [partFormat.decode(value).content]
    default:
      return layoutFormat.decode(value).map(({ content }) => content)
  }
}

function contentsOf(version: VersionRecord): Content[] {
  return version.kind === 'object' ? [version.content] : []
}

/** The row with other bytes in the place of this use; undefined when it no longer has it. */
export function withOtherContent(row: Buffer, value: Buffer, contentId: string, content: SegmentContent): Buffer | undefined {
  const isUsed = contentsIn(row, value).some((each) => each.kind === 'blob' && each.contentId === contentId)
  if (!isUsed) return undefined
  switch (row[0]) {
    case tables.object: {
      const head = headFormat.decode(value)
      return headFormat.encode({ ...head, version: { ...asObject(head.version), content } })
    }
    case tables.version:
      return versionFormat.encode({ ...asObject(versionFormat.decode(value)), content })
    case tables.part:
      return partFormat.encode({ ...partFormat.decode(value), content })
    default:
      return layoutFormat.encode(layoutFormat.decode(value).map((segment) => ('contentId' in segment.content && segment.content.contentId === contentId ? { ...segment, content } : segment)))
  }
}

function asObject(version: VersionRecord): Extract<VersionRecord, { readonly kind: 'object' }> {
  return must(version.kind === 'object' ? version : undefined, 'what uses a blob is an object')
}

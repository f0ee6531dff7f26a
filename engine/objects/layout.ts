import type { Part } from '../engine.ts'
import { layoutRange, layoutRow } from '../keys.ts'
import type { MetadataReader } from '../metadata/metadata-store.ts'
import { layoutFormat, type PartRecord, toPart } from '../records/part-record.ts'
import type { ObjectRecord } from '../records/version-record.ts'
import type { Extent } from '../shared-parts.ts'
import { corruptContent } from './contents.ts'
import type { EngineContext } from './context.ts'
import { type ByteRange, readContent } from './get-object.ts'

/**
 * The segments of an object that was made of parts or grew by appends: rows of up to
 * `segmentsPerRow` of them, each row under the offset at which its first one begins, so that a
 * range read seeks. An append adds segments at the end; a version sees those within its size.
 */

const rowsPerChunk = 8

/** The layout's segments in order with the offset of each, from the row that covers `from` on. */
export async function* segmentsFrom(
  reader: Pick<MetadataReader, 'list'>,
  layoutId: string,
  from: number,
): AsyncGenerator<{ readonly segment: PartRecord; readonly offset: number }> {
  const { start: first, end } = layoutRange(layoutId)
  const [covering] = await reader.list({ start: first, end: layoutRow(layoutId, from + 1), limit: 1, reverse: true })
  let start: Uint8Array = covering?.key ?? first
  for (;;) {
    const rows = await reader.list({ start, end, limit: rowsPerChunk })
    for (const { key, value } of rows) {
      let offset = layoutOffsetOf(key)
      for (const segment of layoutFormat.decode(value)) {
        yield { segment, offset }
        offset += segment.sizeBytes
      }
    }
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < rowsPerChunk) return
    start = Buffer.concat([last.key, Buffer.of(0)])
  }
}

/** The parts of a multipart object, of which there are `count`. */
export async function readParts(context: EngineContext, layoutId: string, count: number): Promise<Part[]> {
  const parts: Part[] = []
  for await (const { segment } of segmentsFrom(context.metadata, layoutId, 0)) {
    if (parts.length === count) break
    parts.push(toPart(segment))
  }
  return parts
}

/** What of an object is its own and what it shares. */
export async function readExtents(reader: Pick<MetadataReader, 'list'>, { content, sizeBytes }: Pick<ObjectRecord, 'content' | 'sizeBytes'>): Promise<Extent[]> {
  if (content.kind !== 'segments') return [{ sizeBytes }]
  const extents: Extent[] = []
  for await (const { segment, offset } of segmentsFrom(reader, content.layoutId, 0)) {
    if (offset >= sizeBytes) break
    const shared = segment.content.kind === 'slice' ? { sharedId: segment.content.layoutId, offset: segment.content.offset } : undefined
    extents.push({ sizeBytes: segment.sizeBytes, ...(shared !== undefined && { shared }) })
  }
  return extents
}

export async function* readSegments(context: EngineContext, layoutId: string, { offset, length }: ByteRange): AsyncGenerator<Buffer> {
  const end = offset + length
  let at = offset
  for await (const { segment, offset: begin } of segmentsFrom(context.metadata, layoutId, offset)) {
    if (at >= end) return
    const from = at - begin
    if (from >= segment.sizeBytes) continue
    const count = Math.min(segment.sizeBytes - from, end - at)
    yield* readContent(context, segment.content, { offset: from, length: count })
    at += count
  }
  if (at < end) throw corruptContent(layoutId)
}

export function layoutOffsetOf(row: Buffer): number {
  const at = row.length - 8
  return row.readUInt32BE(at) * 0x1_0000_0000 + row.readUInt32BE(at + 4)
}

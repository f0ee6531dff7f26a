import { must } from '../../base/assert.ts'
import { layoutRange } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { SegmentContent } from '../records/content.ts'
import { layoutFormat, type PartRecord, segmentsPerRow } from '../records/part-record.ts'
import { type EngineContext, StaleReadError } from './context.ts'
import { layoutOffsetOf } from './layout.ts'
import { planLayout } from './plan-layout.ts'

/**
 * Adds a segment to a layout in place. Its holders see what lies within their own size, so this is
 * allowed to whoever ends where the layout ends. False when another holder has grown it already.
 */
export async function extend(tx: Transaction, layoutId: string, sizeBytes: number, appended: PartRecord): Promise<boolean> {
  const [last] = await tx.list({ ...layoutRange(layoutId), limit: 1, reverse: true })
  const row = last === undefined ? undefined : await tx.get(last.key)
  if (last === undefined || row === undefined) throw new StaleReadError()
  const segments = layoutFormat.decode(row)
  const begin = layoutOffsetOf(last.key)
  if (begin + bytesIn(segments) !== sizeBytes) return false
  const partNumber = must(segments[segments.length - 1], 'a layout row has segments').partNumber + 1
  const isFull = segments.length >= segmentsPerRow
  const [grown] = planLayout(layoutId, isFull ? [{ ...appended, partNumber }] : [...segments, { ...appended, partNumber }], isFull ? sizeBytes : begin)
  const put = must(grown, 'a layout with a segment has a row')
  if (isFull && (await tx.get(put.key)) !== undefined) throw new StaleReadError()
  tx.put(put.key, put.value)
  return true
}

/** A segment has no digest of its own: only the whole object's is ever asked for. */
export function segmentOf(context: EngineContext, sizeBytes: number, content: SegmentContent): PartRecord {
  return { partNumber: 1, sizeBytes, etag: '', checksums: [], lastModifiedMs: Math.floor(context.clock.nowMs()), content }
}

function bytesIn(segments: readonly PartRecord[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

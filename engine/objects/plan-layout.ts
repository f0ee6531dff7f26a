import { assert } from '../../base/assert.ts'
import { layoutRow } from '../keys.ts'
import { layoutFormat, type PartRecord, segmentsPerRow } from '../records/part-record.ts'
import type { Put } from '../metadata/metadata-store.ts'

/** The rows of a layout with these segments, the first of which begins at `offset`. Pure. */
export function planLayout(layoutId: string, segments: readonly PartRecord[], offset = 0): Put[] {
  const rows: Put[] = []
  let at = offset
  for (let first = 0; first < segments.length; first += segmentsPerRow) {
    const run = segments.slice(first, first + segmentsPerRow)
    const runBytes = run.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    const isLast = first + segmentsPerRow >= segments.length
    assert(runBytes > 0 || isLast, 'rows of a layout differ in their offsets: a full row holds bytes')
    rows.push({ key: layoutRow(layoutId, at), value: layoutFormat.encode(run) })
    at += runBytes
  }
  return rows
}

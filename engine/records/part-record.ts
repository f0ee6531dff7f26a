import type { Part } from '../engine.ts'
import { readSegmentContent, type SegmentContent, storeSegmentContent, type StoredSegmentContent } from './content.ts'
import { recordFormat } from './record-format.ts'
import { readChecksums, storeChecksums, type StoredChecksums } from './version-record.ts'

/** One part of an upload, or one segment of an object that was made of parts. */
export interface PartRecord extends Part {
  readonly content: SegmentContent
}

type StoredPart1 = readonly [
  partNumber: number,
  sizeBytes: number,
  etag: string,
  checksums: StoredChecksums,
  lastModifiedMs: number,
  content: StoredSegmentContent,
]

export const partFormat = recordFormat<PartRecord>({
  name: 'part',
  version: 1,
  encode: storePart,
  decode: { 1: readPart },
})

/** A run of an object's segments; the row's key holds the offset at which the first one begins. */
export const layoutFormat = recordFormat<readonly PartRecord[]>({
  name: 'layout',
  version: 1,
  encode: (parts) => parts.map(storePart),
  decode: { 1: (stored: readonly StoredPart1[]) => stored.map(readPart) },
})

/** So many segments share a layout row: small enough to read for one range, large enough for 10,000 parts. */
export const segmentsPerRow = 128

export function toPart(record: PartRecord): Part {
  const { partNumber, sizeBytes, etag, checksums, lastModifiedMs } = record
  return { partNumber, sizeBytes, etag, checksums, lastModifiedMs }
}

function storePart(part: PartRecord): StoredPart1 {
  return [
    part.partNumber,
    part.sizeBytes,
    part.etag,
    storeChecksums(part.checksums),
    part.lastModifiedMs,
    storeSegmentContent(part.content),
  ]
}

function readPart([partNumber, sizeBytes, etag, checksums, lastModifiedMs, content]: StoredPart1): PartRecord {
  return { partNumber, sizeBytes, etag, checksums: readChecksums(checksums), lastModifiedMs, content: readSegmentContent(content) }
}

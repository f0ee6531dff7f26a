import { createHash } from 'node:crypto'
import type { CompleteUpload } from '../engine.ts'
import { EngineError } from '../engine.ts'
import type { PartRecord } from '../records/part-record.ts'

type NamedParts = CompleteUpload['parts']

export interface CompletionPlan {
  /** The object's parts, in order. */
  readonly parts: readonly PartRecord[]
  readonly sizeBytes: number
}

/**
 * Which of the stored parts make up the object. Pure.
 * `InvalidPartOrder` unless the numbers ascend, `InvalidPart` for a part that is not there or has
 * another ETag or checksum, `EntityTooSmall` for any but the last, `SizeMismatch`.
 */
export function planCompletion(
  named: NamedParts,
  stored: ReadonlyMap<number, PartRecord>,
  limits: Pick<CompleteUpload, 'minimumPartBytes' | 'expectedSizeBytes'>,
): CompletionPlan {
  if (named.length === 0) throw new EngineError('InvalidPart', 'a completion names at least one part')
  let previous = 0
  for (const { partNumber } of named) {
    if (partNumber <= previous) throw new EngineError('InvalidPartOrder', 'part numbers must ascend', { partNumber: String(partNumber) })
    previous = partNumber
  }
  const parts = named.map((part) => findPart(part, stored))
  parts.forEach(({ partNumber, sizeBytes, etag }, index) => {
    if (index === parts.length - 1 || sizeBytes >= limits.minimumPartBytes) return
    const detail = { partNumber: String(partNumber), etag, sizeBytes: String(sizeBytes), minimumPartBytes: String(limits.minimumPartBytes) }
    throw new EngineError('EntityTooSmall', 'a part other than the last is too small', detail)
  })
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  if (limits.expectedSizeBytes !== undefined && limits.expectedSizeBytes !== sizeBytes) {
    throw new EngineError('SizeMismatch', 'the parts add up to another size', { sizeBytes: String(sizeBytes) })
  }
  return { parts, sizeBytes }
}

function findPart(named: NamedParts[number], stored: ReadonlyMap<number, PartRecord>): PartRecord {
  const part = stored.get(named.partNumber)
  const detail = { partNumber: String(named.partNumber), etag: named.etag }
  if (part === undefined || part.etag !== named.etag) throw new EngineError('InvalidPart', 'a part is missing or has another ETag', detail)
  for (const { algorithm, value } of named.checksums ?? []) {
    const own = part.checksums.find((checksum) => checksum.algorithm === algorithm)
    if (own?.value !== value) throw new EngineError('InvalidPart', 'a part has another checksum', { ...detail, algorithm })
  }
  return part
}

/** Tells whether a repeated completion names the same parts. */
export function fingerprintOf(named: NamedParts): string {
  const hash = createHash('sha256')
  for (const { partNumber, etag } of named) hash.update(`${partNumber} ${etag}\n`)
  return hash.digest('hex')
}

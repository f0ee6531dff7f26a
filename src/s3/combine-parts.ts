import { combineCrc, compositeChecksum, multipartEtag } from '../checksums/combine.ts'
import { S3Error } from '../wire/errors.ts'
import type { Checksum, Digest, Part, Upload } from '../../engine/index.ts'

/** What the completing client says the whole object's checksum is. */
export interface ClaimedChecksum {
  readonly type: string | undefined
  readonly checksums: readonly { readonly algorithm: string; readonly value: string }[]
}

/**
 * The ETag and checksum of a multipart object from its parts': CRCs of the whole are combined, never re-read.
 * Errors: BadDigest when the client claimed another value, InvalidRequest for another type.
 */
export function combineParts(parts: readonly Part[], checksum: Upload['checksum'], claimed: ClaimedChecksum): Digest {
  if (claimed.type !== undefined && checksum !== undefined && claimed.type !== checksum.type) {
    throw new S3Error('InvalidRequest', `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`)
  }
  const checksums = checksumOf(parts, checksum)
  for (const { algorithm, value } of claimed.checksums) {
    const own = checksums.find(stored => stored.algorithm === algorithm)
    if (own === undefined || withoutCount(own.value) !== withoutCount(value)) {
      throw new S3Error('BadDigest', `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`)
    }
  }
  return { etag: multipartEtag(parts.map(({ etag }) => etag)), checksums }
}

/** A part without the upload's checksum (one that an older version stored) leaves the object without one. */
function checksumOf(parts: readonly Part[], wanted: Upload['checksum']): Checksum[] {
  const { algorithm, type } = wanted ?? ({ algorithm: 'CRC64NVME', type: 'FULL_OBJECT' } as const)
  const values: { value: string; sizeBytes: number }[] = []
  for (const { checksums, sizeBytes } of parts) {
    const value = checksums.find(stored => stored.algorithm === algorithm)?.value
    if (value === undefined) return []
    values.push({ value, sizeBytes })
  }
  if (type === 'COMPOSITE') return [{ algorithm, type, value: compositeChecksum(algorithm, values.map(({ value }) => value)) }]
  const [first, ...rest] = values
  if (first === undefined) return []
  return [{ algorithm, type, value: rest.reduce((whole, part) => combineCrc(algorithm, whole, part.value, part.sizeBytes), first.value) }]
}

const withoutCount = (value: string): string => value.replace(/-\d+$/, '')

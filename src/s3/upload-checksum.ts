import { S3Error } from '../wire/errors.ts'
import type { CreateMultipartUploadRequest } from '@aws-sdk/client-s3'
import type { Upload } from '../../engine/index.ts'

type Type = 'COMPOSITE' | 'FULL_OBJECT'

/** Which types an algorithm has over parts, the default first: CRCs combine, hashes do not. */
const types: Readonly<Record<string, readonly Type[]>> = {
  CRC32: ['COMPOSITE', 'FULL_OBJECT'],
  CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
  CRC64NVME: ['FULL_OBJECT'],
  SHA1: ['COMPOSITE'],
  SHA256: ['COMPOSITE'],
  SHA512: ['COMPOSITE'],
  MD5: ['COMPOSITE'],
  XXHASH64: ['COMPOSITE'],
  XXHASH3: ['COMPOSITE'],
  XXHASH128: ['COMPOSITE'],
}

/**
 * The checksum of an upload, fixed when it begins; without one it is CRC64NVME over the whole object,
 * as AWS computes it by itself (then undefined: no part is asked for one).
 * Errors: InvalidRequest for an unknown algorithm, a type it does not have, or a type alone.
 */
export function uploadChecksum({ ChecksumAlgorithm: algorithm, ChecksumType: type }: CreateMultipartUploadRequest): Upload['checksum'] {
  if (algorithm === undefined) {
    if (type !== undefined) throw new S3Error('InvalidRequest', 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.')
    return undefined
  }
  const possible = types[algorithm.toUpperCase()]
  const [usual] = possible ?? []
  if (possible === undefined || usual === undefined) throw new S3Error('InvalidRequest', 'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]')
  if (type !== undefined && !possible.includes(type)) throw new S3Error('InvalidRequest', `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`)
  return { algorithm: algorithm.toUpperCase(), type: type ?? usual }
}

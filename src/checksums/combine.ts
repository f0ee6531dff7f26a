import { hash } from 'node:crypto'
import { runningChecksum, toChecksumAlgorithm } from './checksum.ts'
import { ChecksumError } from './checksum-error.ts'
import { combineCrc32, combineCrc64, crc32cPolynomial, crc32Polynomial } from './crc-combination.ts'

/**
 * The CRC of A followed by B from the CRCs of both and the length of B, all in Base64. Nothing is read again.
 * `ChecksumError` InvalidRequest for an algorithm that is not a CRC: hashes cannot be combined.
 */
export function combineCrc(algorithm: string, crcA: string, crcB: string, lengthB: number): string {
  switch (algorithm) {
    case 'CRC32':
      return combined32(crc32Polynomial, crcA, crcB, lengthB)
    case 'CRC32C':
      return combined32(crc32cPolynomial, crcA, crcB, lengthB)
    case 'CRC64NVME': {
      const combined = Buffer.alloc(8)
      combined.writeBigUInt64BE(combineCrc64(bytesOf(crcA, 8).readBigUInt64BE(), bytesOf(crcB, 8).readBigUInt64BE(), lengthB))
      return combined.toString('base64')
    }
    default:
      throw new ChecksumError('InvalidRequest', `The FULL_OBJECT checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`)
  }
}

function combined32(polynomial: number, crcA: string, crcB: string, lengthB: number): string {
  const combined = Buffer.alloc(4)
  combined.writeUInt32BE(combineCrc32(polynomial, bytesOf(crcA, 4).readUInt32BE(), bytesOf(crcB, 4).readUInt32BE(), lengthB))
  return combined.toString('base64')
}

/** A COMPOSITE checksum: the checksum of the parts' digests one after another, and how many there are. */
export function compositeChecksum(algorithm: string, partChecksums: readonly string[]): string {
  const running = runningChecksum(toChecksumAlgorithm(algorithm))
  for (const checksum of partChecksums) running.update(Buffer.from(checksum, 'base64'))
  return `${running.digest().toString('base64')}-${partChecksums.length}`
}

/** The ETag of a multipart object from its parts', without quotes: the MD5 of their MD5s, and how many there are. */
export function multipartEtag(partEtags: readonly string[]): string {
  return `${hash('md5', Buffer.concat(partEtags.map(md5Bytes)), 'hex')}-${partEtags.length}`
}

function md5Bytes(etag: string): Buffer {
  if (!/^[0-9a-f]{32}$/.test(etag)) throw new ChecksumError('InvalidPart', 'The ETag of a part is not an MD5.')
  return Buffer.from(etag, 'hex')
}

function bytesOf(base64: string, count: number): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== count) throw new ChecksumError('InvalidPart', 'A stored checksum does not have the length of its algorithm.')
  return bytes
}

import { isChecksumAlgorithm } from '../checksums/checksum.ts'
import { S3Error } from '../wire/errors.ts'
import type { ChecksumAlgorithm } from '../checksums/checksum.ts'

/** What a request says its body's digests are. */
export interface ClaimedDigests {
  /** Base64, 16 bytes. */
  readonly contentMd5: string | undefined
  /** At most one: AWS takes a single checksum. `value` is undefined where a trailer will carry it. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined } | undefined
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const prefix = 'x-amz-checksum-'
/** Headers under the prefix that carry no checksum. */
const notValues = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode'])

const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32, SHA512: 64, MD5: 16, XXHASH64: 8, XXHASH3: 8, XXHASH128: 16,
}

/**
 * Reads Content-MD5, `x-amz-checksum-*`, `x-amz-trailer` and `x-amz-sdk-checksum-algorithm`.
 * Errors: InvalidDigest, InvalidRequest (several checksums, an unknown algorithm, one announced and not there).
 */
export function claimedDigests(headers: Headers): ClaimedDigests {
  return { contentMd5: contentMd5Of(headers['content-md5']), checksum: checksumOf(headers) }
}

function contentMd5Of(header: Headers[string]): string | undefined {
  if (header === undefined) return undefined
  if (typeof header !== 'string' || !isDigest(header, 16)) throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.', { 'Content-MD5': String(header) })
  return header
}

function checksumOf(headers: Headers): ClaimedDigests['checksum'] {
  const found: { algorithm: ChecksumAlgorithm; value: string | undefined }[] = []
  for (const name in headers) {
    if (!name.startsWith(prefix) || notValues.has(name)) continue
    const algorithm = algorithmNamed(name)
    const value = String(headers[name])
    if (!isDigest(value, digestBytes[algorithm])) throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`)
    found.push({ algorithm, value })
  }
  for (const name of trailerNames(headers['x-amz-trailer'])) {
    if (name.startsWith(prefix)) found.push({ algorithm: algorithmNamed(name), value: undefined })
  }
  if (found.length > 1) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.')
  const [checksum] = found
  const announced = headers['x-amz-sdk-checksum-algorithm']
  if (announced !== undefined && checksum === undefined && headers['content-md5'] === undefined) {
    throw new S3Error('InvalidRequest', 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.')
  }
  if (typeof announced === 'string' && checksum !== undefined && announced.toUpperCase() !== checksum.algorithm) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.')
  }
  return checksum
}

function trailerNames(header: Headers[string]): string[] {
  return header === undefined ? [] : String(header).split(',').map(name => name.trim().toLowerCase())
}

function algorithmNamed(header: string): ChecksumAlgorithm {
  const algorithm = header.slice(prefix.length).toUpperCase()
  if (!isChecksumAlgorithm(algorithm)) throw new S3Error('InvalidRequest', `The checksum algorithm of ${header} is not supported.`)
  return algorithm
}

/** Canonical Base64 of exactly that many bytes. */
function isDigest(value: string, sizeBytes: number): boolean {
  const bytes = Buffer.from(value, 'base64')
  return bytes.length === sizeBytes && bytes.toString('base64') === value
}

import type { IncomingMessage } from 'node:http'
import { BodyDigests } from '../checksums/body-digests.ts'
import { isChecksumAlgorithm } from '../checksums/checksum.ts'
import { openBody } from '../sigv4/open-body.ts'
import { KiB } from '../../base/units.ts'
import { S3Error } from '../wire/errors.ts'
import { claimedDigests } from './claimed-digests.ts'
import type { ChecksumAlgorithm } from '../checksums/checksum.ts'
import type { Authentication } from '../sigv4/authenticate.ts'
import type { Checksum, Digest, Upload } from '../../engine/index.ts'
import type { ClaimedDigests } from './claimed-digests.ts'
import type { BodyOptions, StreamedBody } from './operation.ts'

export const objectLimitBytes = 5 * 1024 ** 3

/** AWS computes this one when a client sends none. */
const defaultAlgorithm: ChecksumAlgorithm = 'CRC64NVME'

export interface BodySource {
  readonly request: IncomingMessage
  readonly authentication: Authentication
  /** Tells a client that waits with its body to send it. Called once, when the first byte is wanted. */
  readonly proceed: () => void
}

/**
 * The payload of PutObject and UploadPart, hashed on its way. Errors at once: MissingContentLength, EntityTooLarge,
 * InvalidDigest, InvalidRequest. Errors of the stream or `finish`: IncompleteBody, BadDigest, XAmzContentSHA256Mismatch,
 * SignatureDoesNotMatch.
 */
export function streamedBody(source: BodySource, { partOf, also = [] }: BodyOptions = {}): StreamedBody {
  const { headers } = source.request
  const claimed = claimedDigests(headers)
  const stored = partOf?.checksum?.algorithm ?? claimed.checksum?.algorithm ?? defaultAlgorithm
  const kept = partOf !== undefined && partOf.checksum === undefined ? defaultAlgorithm : stored
  if (!isChecksumAlgorithm(kept)) throw new S3Error('InvalidRequest', `The checksum algorithm ${kept} is not supported.`)
  const digests = new BodyDigests(['MD5', kept, ...also])
  if (claimed.checksum !== undefined) digests.require(claimed.checksum.algorithm)
  const opened = openBody({ header: name => headerOf(source.request, name), authentication: source.authentication, raw: bytesOf(source), digests })
  refuseUnsized(source.request, opened.sizeBytes)
  return {
    source: opened.body,
    declaredBytes: opened.sizeBytes,
    finish() {
      verifyDigests(digests, claimed, opened.trailers())
      const algorithms = new Set([kept, claimed.checksum?.algorithm ?? kept, ...also])
      const checksums: Checksum[] = []
      for (const algorithm of algorithms) checksums.push({ algorithm, type: 'FULL_OBJECT', value: digests.base64(algorithm) })
      return { etag: digests.etag(), checksums }
    },
  }
}

function refuseUnsized(request: IncomingMessage, sizeBytes: number | undefined): void {
  if (sizeBytes === undefined && request.headers['transfer-encoding'] === undefined) throw new S3Error('MissingContentLength')
  if (sizeBytes === undefined || sizeBytes <= objectLimitBytes) return
  throw new S3Error('EntityTooLarge', undefined, { ProposedSize: sizeBytes, MaxSizeAllowed: objectLimitBytes })
}

/** A body that is read as a whole: XML. Errors: MaxMessageLengthExceeded and those of a stream. */
export async function collectedBody(source: BodySource, { limitBytes, ownChecksums }: { limitBytes: number; ownChecksums: boolean }): Promise<Buffer> {
  const { headers } = source.request
  const claimed = claimedDigests(ownChecksums ? headers : { 'content-md5': headers['content-md5'] })
  const digests = new BodyDigests(claimed.contentMd5 === undefined ? [] : ['MD5'])
  if (claimed.checksum !== undefined) digests.require(claimed.checksum.algorithm)
  const opened = openBody({ header: name => headerOf(source.request, name), authentication: source.authentication, raw: bytesOf(source), digests })
  if (opened.sizeBytes !== undefined && opened.sizeBytes > limitBytes) throw new S3Error('MaxMessageLengthExceeded', undefined, { MaxMessageLengthBytes: limitBytes })
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of opened.body) {
    sizeBytes += piece.length
    if (sizeBytes > limitBytes) throw new S3Error('MaxMessageLengthExceeded', undefined, { MaxMessageLengthBytes: limitBytes })
    pieces.push(piece)
  }
  verifyDigests(digests, claimed, opened.trailers())
  return pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)
}

/** The digests of a part that is copied from an object's bytes. */
export function copyDigest(upload: Upload): { update(bytes: Uint8Array): void; finish(sizeBytes: number): Digest } {
  const algorithm = upload.checksum?.algorithm ?? defaultAlgorithm
  if (!isChecksumAlgorithm(algorithm)) throw new S3Error('InvalidRequest', `The checksum algorithm ${algorithm} is not supported.`)
  const digests = new BodyDigests(['MD5', algorithm])
  return {
    update: bytes => digests.update(bytes),
    finish: () => ({ etag: digests.etag(), checksums: [{ algorithm, type: 'FULL_OBJECT', value: digests.base64(algorithm) }] }),
  }
}

export function verifyDigests(digests: BodyDigests, { contentMd5, checksum }: ClaimedDigests, trailers: ReadonlyMap<string, string>): void {
  if (contentMd5 !== undefined && digests.base64('MD5') !== contentMd5) {
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', { ExpectedDigest: contentMd5, CalculatedDigest: digests.base64('MD5') })
  }
  if (checksum === undefined) return
  const { algorithm } = checksum
  const value = checksum.value ?? trailers.get(`x-amz-checksum-${algorithm.toLowerCase()}`)
  if (value === undefined) throw new S3Error('InvalidRequest', `The trailer x-amz-checksum-${algorithm.toLowerCase()} was announced but is not there.`)
  if (value !== digests.base64(algorithm)) throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'object' ? value.join(',') : value
}

/** The socket's bytes. A connection that ends early is an incomplete body, not a fault of ours. */
async function* bytesOf({ request, proceed }: BodySource): AsyncGenerator<Buffer> {
  proceed()
  try {
    if (Number(request.headers['content-length']) <= wholeBytes) yield await wholeBody(request)
    else for await (const piece of request) yield piece as Buffer
  } catch {
    throw new S3Error('IncompleteBody')
  }
}

/** A body that is taken in one piece: the steps of an iterator for each of its pieces cost more than they bring. */
const wholeBytes = 64 * KiB

export function wholeBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Its events are over: the client went away while something else was waited for.
    if (request.destroyed) {
      reject(new Error('the connection was closed'))
      return
    }
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => void pieces.push(piece))
    request.once('end', () => resolve(pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)))
    request.once('error', reject)
    request.once('close', () => {
      // After the end too: nothing is made of it then.
      if (!request.readableEnded) reject(new Error('the connection was closed'))
    })
  })
}

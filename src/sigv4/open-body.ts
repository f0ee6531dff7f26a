import type { BodyDigests } from '../checksums/body-digests.ts'
import { payloadMismatch, type Authentication, type SignatureChain } from './authenticate.ts'
import { ChunkedDecoder, type ChunkedFraming } from './aws-chunked.ts'
import type { Payload } from './payload.ts'
import { SigV4Error } from './sigv4-error.ts'

/** A request's body, decoded; every byte that it yields went through `digests`. */
export interface OpenBody {
  /**
   * Consume once. It throws when the body is not what the request announced or signed, possibly
   * after all of its bytes: what was read may be kept only once it has ended without an error.
   */
  readonly body: AsyncIterable<Buffer>
  /** Lower-case names to values; complete once `body` has ended. */
  trailers(): ReadonlyMap<string, string>
  /** How many bytes `body` yields; undefined when the request does not say (then any number). */
  readonly sizeBytes: number | undefined
}

export interface BodyRequest {
  /** The value of a header by its lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly authentication: Pick<Authentication, 'payload'> & { readonly chain?: SignatureChain }
  /** The socket's bytes, Transfer-Encoding already undone. */
  readonly raw: AsyncIterable<Buffer>
  readonly digests: BodyDigests
}

/**
 * Makes the body readable as its `x-amz-content-sha256` says: plain, hashed or `aws-chunked`.
 * Throws at once: MissingContentLength, InvalidArgument, InvalidRequest, MalformedTrailerError.
 * The body throws: IncompleteBody, XAmzContentSHA256Mismatch, SignatureDoesNotMatch, MalformedTrailerError.
 */
export function openBody(request: BodyRequest): OpenBody {
  const { payload, chain } = request.authentication
  const contentBytes = lengthHeader(request, 'content-length')
  const raw = contentBytes === undefined ? request.raw : exactly(request.raw, contentBytes)
  if (payload.kind === 'chunked') {
    const framing = chunkedFraming(request, payload, chain)
    const decoder = new ChunkedDecoder(framing)
    return { body: decode(raw, decoder, request.digests), trailers: () => decoder.trailers, sizeBytes: framing.decodedBytes }
  }
  if (payload.kind === 'sha256') {
    request.digests.require('SHA256')
    return { body: hashed(raw, payload.hex, request.digests), trailers: noTrailers, sizeBytes: contentBytes }
  }
  return { body: digested(raw, request.digests), trailers: noTrailers, sizeBytes: contentBytes }
}

const none: ReadonlyMap<string, string> = new Map()
const noTrailers = (): ReadonlyMap<string, string> => none

function chunkedFraming(request: BodyRequest, payload: Payload & { kind: 'chunked' }, chain: SignatureChain | undefined): ChunkedFraming {
  if (payload.signed !== undefined && chain === undefined) {
    throw new SigV4Error('InvalidRequest', 'Signed chunks need a signed request.')
  }
  const decodedBytes = lengthHeader(request, 'x-amz-decoded-content-length')
  if (decodedBytes === undefined) throw new SigV4Error('MissingContentLength', 'You must provide the Content-Length HTTP header.')
  const announced = request.header('x-amz-trailer')
  const trailerNames = (announced ?? '').split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  if (!payload.trailer && trailerNames.length > 0) {
    throw new SigV4Error('MalformedTrailerError', 'x-amz-trailer announces trailers that x-amz-content-sha256 does not allow.')
  }
  return { chain: payload.signed === undefined ? undefined : chain, trailer: payload.trailer, trailerNames, decodedBytes }
}

function lengthHeader(request: BodyRequest, name: string): number | undefined {
  const text = request.header(name)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) {
    throw new SigV4Error('InvalidArgument', `The value of ${name} is not a length.`, { ArgumentName: name, ArgumentValue: text })
  }
  return Number(text)
}

async function* exactly(raw: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const piece of raw) {
    left -= piece.length
    if (left < 0) throw wrongLength()
    yield piece
  }
  if (left > 0) throw wrongLength()
}

const wrongLength = (): SigV4Error =>
  new SigV4Error('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header')

async function* digested(raw: AsyncIterable<Buffer>, digests: BodyDigests): AsyncGenerator<Buffer> {
  for await (const piece of raw) {
    digests.update(piece)
    yield piece
  }
}

async function* hashed(raw: AsyncIterable<Buffer>, claimedHex: string, digests: BodyDigests): AsyncGenerator<Buffer> {
  for await (const piece of raw) {
    digests.update(piece)
    yield piece
  }
  const computedHex = digests.digest('SHA256').toString('hex')
  if (computedHex !== claimedHex) throw payloadMismatch(claimedHex, computedHex)
}

async function* decode(raw: AsyncIterable<Buffer>, decoder: ChunkedDecoder, digests: BodyDigests): AsyncGenerator<Buffer> {
  for await (const piece of raw) {
    for (const bytes of decoder.push(piece)) {
      digests.update(bytes)
      yield bytes
    }
  }
  decoder.finish()
}

import { ChunkSignatures } from './chunk-signatures.ts'
import type { SignatureChain } from './authenticate.ts'
import { SigV4Error } from './sigv4-error.ts'

/** How an `aws-chunked` body is framed. */
export interface ChunkedFraming {
  /** From the request's signature; undefined for unsigned chunks. */
  readonly chain: SignatureChain | undefined
  /** True when trailers follow the last chunk. */
  readonly trailer: boolean
  /** The names that `x-amz-trailer` announces, in lower case. */
  readonly trailerNames: readonly string[]
  /** `x-amz-decoded-content-length`. */
  readonly decodedBytes: number
}

/** A signed chunk up to this long is released only once its signature has been verified. */
const heldChunkBytes = 256 * 1024
const mostHeldPieces = 1024
const longestLineBytes = 16 * 1024
const mostTrailers = 16

const carriageReturn = 13
const lineFeed = 10

type State = 'size' | 'bytes' | 'chunkEnd' | 'trailer' | 'done'

/**
 * Decodes an `aws-chunked` body. `push` takes the wire's bytes in pieces of any size and gives back
 * slices of them: nothing is copied but lines that are cut by the end of a piece. Chunks may have
 * any length; a signed chunk over 256 KiB is released while it is still being hashed, so its
 * consumer must keep nothing of a body that ends in an error.
 *
 * Errors: IncompleteBody (framing, or not the announced length), SignatureDoesNotMatch,
 * MalformedTrailerError.
 */
export class ChunkedDecoder {
  readonly #framing: ChunkedFraming
  readonly #signatures: ChunkSignatures | undefined
  readonly #trailers = new Map<string, string>()
  #state: State = 'size'
  /** The start of a line whose end is not here yet. */
  #line = ''
  #chunkBytes = 0
  #chunkLeft = 0
  #chunkSignature = ''
  #decodedLeft: number
  #held: Buffer[] = []

  constructor(framing: ChunkedFraming) {
    this.#framing = framing
    this.#signatures = framing.chain === undefined ? undefined : new ChunkSignatures(framing.chain)
    this.#decodedLeft = framing.decodedBytes
  }

  /** The decoded bytes that can be released now. */
  push(piece: Buffer): Buffer[] {
    const released: Buffer[] = []
    let at = 0
    while (at < piece.length) {
      if (this.#state === 'bytes') at = this.#takeBytes(piece, at, released)
      else if (this.#state === 'done') throw incomplete('The body goes on after its last chunk.')
      else at = this.#takeLine(piece, at)
    }
    return released
  }

  /** Call at the end of the wire's bytes. */
  finish(): void {
    if (this.#state !== 'done') throw incomplete('The body ends before its last chunk.')
  }

  /** Lower-case names to values, the signature left out; complete once `finish` has returned. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers
  }

  #takeBytes(piece: Buffer, at: number, released: Buffer[]): number {
    const end = Math.min(piece.length, at + this.#chunkLeft)
    const bytes = at === 0 && end === piece.length ? piece : piece.subarray(at, end)
    this.#chunkLeft -= bytes.length
    this.#decodedLeft -= bytes.length
    if (this.#signatures !== undefined) this.#signatures.update(bytes)
    if (this.#signatures !== undefined && this.#chunkBytes <= heldChunkBytes) this.#hold(bytes)
    else released.push(bytes)
    if (this.#chunkLeft === 0) {
      this.#state = 'chunkEnd'
      this.#signatures?.endChunk(this.#chunkSignature)
      for (const held of this.#held) released.push(held)
      this.#held = []
    }
    return end
  }

  /** A client that sends a few bytes at a time makes many small pieces: they become one. */
  #hold(bytes: Buffer): void {
    this.#held.push(bytes)
    if (this.#held.length > mostHeldPieces) this.#held = [Buffer.concat(this.#held)]
  }

  #takeLine(piece: Buffer, at: number): number {
    const lineEnd = piece.indexOf(lineFeed, at)
    const end = lineEnd < 0 ? piece.length : lineEnd + 1
    if (this.#line.length + end - at > longestLineBytes) throw incomplete('A line of the body’s framing is too long.')
    this.#line += piece.toString('latin1', at, end)
    // A line feed alone does not end a line: some clients put one before the carriage return.
    if (lineEnd < 0 || this.#line.charCodeAt(this.#line.length - 2) !== carriageReturn) return end
    const line = this.#line.slice(0, -2)
    this.#line = ''
    if (this.#state === 'size') this.#takeSize(line)
    else if (this.#state === 'chunkEnd') {
      if (line !== '') throw incomplete('A chunk is longer than it says.')
      this.#state = 'size'
    } else this.#takeTrailer(line)
    return end
  }

  #takeSize(line: string): void {
    const match = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f*]{1,144}))?$/.exec(line)
    if (match === null) throw incomplete('The size line of a chunk is malformed.')
    const signed = this.#signatures !== undefined
    if (signed !== (match[2] !== undefined)) throw incomplete(signed ? 'A chunk has no signature.' : 'A chunk of an unsigned body has a signature.')
    const chunkBytes = Number.parseInt(match[1] ?? '', 16)
    if (chunkBytes > this.#decodedLeft) throw incomplete('The chunks hold more than x-amz-decoded-content-length says.')
    this.#chunkBytes = chunkBytes
    this.#chunkLeft = chunkBytes
    this.#chunkSignature = match[2] ?? ''
    if (chunkBytes > 0) {
      this.#state = 'bytes'
      return
    }
    if (this.#decodedLeft > 0) throw incomplete('The chunks hold less than x-amz-decoded-content-length says.')
    this.#signatures?.endChunk(this.#chunkSignature)
    this.#state = 'trailer'
  }

  #takeTrailer(line: string): void {
    if (line === '') return this.#endTrailers()
    const cut = line.indexOf(':')
    if (!this.#framing.trailer || cut <= 0 || this.#trailers.size >= mostTrailers) throw malformedTrailer()
    const name = line.slice(0, cut).trim().toLowerCase()
    if (this.#trailers.has(name)) throw malformedTrailer()
    this.#trailers.set(name, line.slice(cut + 1).trim())
  }

  #endTrailers(): void {
    const signature = this.#trailers.get(signatureTrailer)
    this.#trailers.delete(signatureTrailer)
    const { trailer, trailerNames } = this.#framing
    if (this.#trailers.size !== trailerNames.length || !trailerNames.every((name) => this.#trailers.has(name))) throw malformedTrailer()
    if (trailer && this.#signatures !== undefined) {
      if (signature === undefined) throw malformedTrailer()
      let canonical = ''
      for (const [name, value] of this.#trailers) canonical += `${name}:${value}\n`
      this.#signatures.endTrailers(canonical, signature)
    } else if (signature !== undefined) throw malformedTrailer()
    this.#state = 'done'
  }
}

const signatureTrailer = 'x-amz-trailer-signature'

const incomplete = (problem: string): SigV4Error =>
  new SigV4Error('IncompleteBody', `You did not provide the number of bytes specified by the Content-Length HTTP header. ${problem}`)

const malformedTrailer = (): SigV4Error =>
  new SigV4Error('MalformedTrailerError', 'The request contained trailing data that was not well-formed or did not conform to our published schema.')

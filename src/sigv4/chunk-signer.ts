import { createHmac, hash } from 'node:crypto'
import { emptySha256Hex } from './payload.ts'
import type { SignatureChain } from './authenticate.ts'

/** The signing side of `aws-chunked`, for tests and benchmarks: what a client does. */
export interface ChunkSigner {
  readonly chain: Omit<SignatureChain, 'verifier'>
  readonly sign: (stringToSign: string) => string
  readonly algorithm: string
}

export function hmacChunkSigner(signingKey: Buffer, chain: Omit<SignatureChain, 'verifier'>): ChunkSigner {
  return { chain, algorithm: 'AWS4-HMAC-SHA256', sign: (text) => createHmac('sha256', signingKey).update(text).digest('hex') }
}

/** Frames pieces as an `aws-chunked` body; unsigned without a signer. */
export function encodeChunked(pieces: readonly Uint8Array[], trailers: Readonly<Record<string, string>> | undefined, signer?: ChunkSigner): Buffer {
  const wire: Uint8Array[] = []
  const text = (line: string): unknown => wire.push(Buffer.from(line))
  let previous = signer?.chain.seedSignature ?? ''
  const signature = (part: string, digests: string): string => {
    if (signer === undefined) return ''
    const { timestamp, scope } = signer.chain
    previous = signer.sign(`${signer.algorithm}-${part}\n${timestamp}\n${scope}\n${previous}\n${digests}`)
    return previous
  }
  for (const piece of [...pieces.filter((bytes) => bytes.length > 0), new Uint8Array()]) {
    const signed = signer === undefined ? '' : `;chunk-signature=${signature('PAYLOAD', `${emptySha256Hex}\n${hash('sha256', piece, 'hex')}`)}`
    text(`${piece.length.toString(16)}${signed}\r\n`)
    if (piece.length > 0) wire.push(piece, Buffer.from('\r\n'))
  }
  const lines = Object.entries(trailers ?? {}).map(([name, value]) => `${name}:${value}`)
  for (const line of lines) text(`${line}\r\n`)
  if (trailers !== undefined && signer !== undefined) {
    text(`x-amz-trailer-signature:${signature('TRAILER', hash('sha256', lines.map((line) => `${line}\n`).join(''), 'hex'))}\r\n`)
  }
  text('\r\n')
  return Buffer.concat(wire)
}

/**
 * How fast `aws-chunked` bodies are decoded, in wire pieces of 64 KiB as sockets give them: `node bench/micro/chunk-decoder.ts`.
 * The best of many short runs. The bound for unsigned chunks is 2 GB/s; exits 1 below it.
 */
import { ChunkedDecoder } from '../../src/sigv4/aws-chunked.ts'
import type { ChunkedFraming } from '../../src/sigv4/aws-chunked.ts'
import { encodeChunked, hmacChunkSigner } from '../../src/sigv4/chunk-signer.ts'
import { hmacSigningKey, hmacVerifier } from '../../src/sigv4/signing-keys.ts'

const boundGigabytes = 2
const pieceBytes = 64 * 1024
const body = Buffer.alloc(16 * 1024 * 1024, 'moraine')

const signingKey = hmacSigningKey({ date: '20260203', region: 'us-east-1', service: 's3' }, 'secret')
const seed = { timestamp: '20260203T040506Z', scope: '20260203/us-east-1/s3/aws4_request', seedSignature: 'a'.repeat(64) }
const chain = { ...seed, verifier: hmacVerifier(signingKey) }

function inPieces(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let from = 0; from < bytes.length; from += size) pieces.push(bytes.subarray(from, from + size))
  return pieces
}

function decode(framing: ChunkedFraming, wire: readonly Buffer[]): number {
  const decoder = new ChunkedDecoder(framing)
  let bytes = 0
  for (const piece of wire) for (const released of decoder.push(piece)) bytes += released.length
  decoder.finish()
  return bytes
}

function gigabytesPerSecond(chunkBytes: number, signed: boolean): number {
  const trailers = { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }
  const encoded = encodeChunked(inPieces(body, chunkBytes), trailers, signed ? hmacChunkSigner(signingKey, seed) : undefined)
  const wire = inPieces(encoded, pieceBytes)
  const framing = { chain: signed ? chain : undefined, trailer: true, trailerNames: Object.keys(trailers), decodedBytes: body.length }
  let best = 0
  for (let run = 0; run < 30; run++) {
    const startMs = performance.now()
    if (decode(framing, wire) !== body.length) throw new Error('bytes were lost')
    best = Math.max(best, body.length / 1e6 / (performance.now() - startMs))
  }
  return best
}

let slowest = Infinity
for (const chunkBytes of [8 * 1024, 64 * 1024, 1024 * 1024, body.length]) {
  const unsigned = gigabytesPerSecond(chunkBytes, false)
  slowest = Math.min(slowest, unsigned)
  console.log(`chunks of ${String(chunkBytes / 1024).padStart(5)} KiB: unsigned ${unsigned.toFixed(1)} GB/s, signed ${gigabytesPerSecond(chunkBytes, true).toFixed(2)} GB/s`)
}
if (slowest < boundGigabytes) {
  console.error(`below the bound of ${boundGigabytes} GB/s`)
  process.exitCode = 1
}

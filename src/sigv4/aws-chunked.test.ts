import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedDecoder, type ChunkedFraming } from './aws-chunked.ts'
import { encodeChunked, hmacChunkSigner, type ChunkSigner } from './chunk-signer.ts'
import { SigV4Error } from './sigv4-error.ts'
import { hmacSigningKey, hmacVerifier } from './signing-keys.ts'

const signingKey = hmacSigningKey({ date: '20130524', region: 'us-east-1', service: 's3' }, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
const chainFrom = (seedSignature: string): ChunkSigner['chain'] => ({
  timestamp: '20130524T000000Z',
  scope: '20130524/us-east-1/s3/aws4_request',
  seedSignature,
})
const verifier = hmacVerifier(signingKey)
const signer = hmacChunkSigner(signingKey, chainFrom('a'.repeat(64)))

interface Decoded {
  readonly bytes: Buffer
  readonly trailers: Readonly<Record<string, string>>
}

function decode(framing: ChunkedFraming, pieces: readonly Buffer[]): Decoded {
  const decoder = new ChunkedDecoder(framing)
  const bytes = Buffer.concat(pieces.flatMap((piece) => decoder.push(piece)))
  decoder.finish()
  return { bytes, trailers: Object.fromEntries(decoder.trailers) }
}

function codeOf(framing: ChunkedFraming, pieces: readonly Buffer[]): string {
  try {
    decode(framing, pieces)
  } catch (error) {
    if (error instanceof SigV4Error) return error.code
    throw error
  }
  return 'accepted'
}

describe('the published examples', () => {
  const letters = Buffer.alloc(66_560, 'a')
  const sized = (size: number, signature: string): Buffer => Buffer.from(`${size.toString(16)};chunk-signature=${signature}\r\n`)

  it('signed chunks', () => {
    const chain = { verifier, ...chainFrom('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9') }
    const wire = Buffer.concat([
      sized(65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'),
      letters.subarray(0, 65_536),
      Buffer.from('\r\n'),
      sized(1024, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'),
      letters.subarray(0, 1024),
      Buffer.from('\r\n'),
      sized(0, 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'),
      Buffer.from('\r\n'),
    ])
    expect(decode({ chain, trailer: false, trailerNames: [], decodedBytes: 66_560 }, [wire]).bytes.equals(letters)).toBe(true)
  })

  it('signed chunks with a trailer', () => {
    const chain = { verifier, ...chainFrom('106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e') }
    const wire = Buffer.concat([
      sized(65_536, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'),
      letters.subarray(0, 65_536),
      Buffer.from('\r\n'),
      sized(1024, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'),
      letters.subarray(0, 1024),
      Buffer.from('\r\n'),
      sized(0, '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'),
      // The line feed before the line's end is what some clients send.
      Buffer.from('x-amz-checksum-crc32c:sOO8/Q==\n\r\n'),
      Buffer.from('x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n'),
    ])
    const framing = { chain, trailer: true, trailerNames: ['x-amz-checksum-crc32c'], decodedBytes: 66_560 }
    expect(decode(framing, [wire]).trailers).toEqual({ 'x-amz-checksum-crc32c': 'sOO8/Q==' })
    const other = Buffer.from(wire.toString('latin1').replace('sOO8', 'tOO8'), 'latin1')
    expect(codeOf(framing, [other])).toBe('SignatureDoesNotMatch')
  })
})

/** A body in chunks, and how it is framed. */
const bodies = fc
  .record({
    pieces: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
    trailers: fc.option(fc.constant({ 'x-amz-checksum-crc32': 'AAAAAA==' }), { nil: undefined }),
    signed: fc.boolean(),
  })
  .map(({ pieces, trailers, signed }) => ({
    plain: Buffer.concat(pieces),
    wire: encodeChunked(pieces, trailers, signed ? signer : undefined),
    trailers: trailers ?? {},
    framing: {
      chain: signed ? { ...signer.chain, verifier } : undefined,
      trailer: trailers !== undefined,
      trailerNames: Object.keys(trailers ?? {}),
      decodedBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    } satisfies ChunkedFraming,
  }))

function cut(wire: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (wire.length + 1)), 0, wire.length].sort((a, b) => a - b)
  return ends.slice(1).map((end, index) => wire.subarray(ends[index], end))
}

describe('any body', () => {
  it('decodes to the same bytes however the wire cuts it', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(), { maxLength: 12 }), ({ plain, wire, trailers, framing }, places) => {
        const decoded = decode(framing, cut(wire, places))
        expect(decoded.bytes.equals(plain)).toBe(true)
        expect(decoded.trailers).toEqual(trailers)
      }),
      { numRuns: 500 },
    )
  })

  it('even into single bytes', () => {
    fc.assert(
      fc.property(bodies, ({ plain, wire, framing }) => {
        expect(decode(framing, [...wire].map((byte) => Buffer.from([byte]))).bytes.equals(plain)).toBe(true)
      }),
    )
  })

  it('is refused when it is cut short or goes on', () => {
    fc.assert(
      fc.property(bodies, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 5 }), ({ wire, framing }, place, more) => {
        expect(codeOf(framing, [wire.subarray(0, place % wire.length)])).not.toBe('accepted')
        expect(codeOf(framing, [wire, Buffer.from(more)])).toBe('IncompleteBody')
      }),
      { numRuns: 500 },
    )
  })

  it('signed: no byte can be changed', () => {
    fc.assert(
      fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ plain, wire, trailers, framing }, place, by) => {
        if (framing.chain === undefined) return
        const at = place % wire.length
        const changed = Buffer.from(wire)
        changed[at] = ((changed[at] ?? 0) + by) & 255
        if (codeOf(framing, [changed]) !== 'accepted') return
        // What is left is another spelling: a hex digit or a trailer's name in the other case, space around a value.
        const decoded = decode(framing, [changed])
        expect(decoded.bytes.equals(plain)).toBe(true)
        expect(decoded.trailers).toEqual(trailers)
      }),
      { numRuns: 3000 },
    )
  })

  it('any bytes give an answer or a SigV4Error', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom('\r\n', '\n', '0\r\n', '5\r\n', 'fffffffffffff\r\n', 'x-amz-checksum-crc32:AAAAAA==\r\n', ':', '0;chunk-signature=').map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bodies, fc.array(piece, { maxLength: 12 }), ({ framing }, pieces) => {
        codeOf(framing, pieces.map((bytes) => Buffer.from(bytes)))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('bounds', () => {
  const unsigned = (decodedBytes: number): ChunkedFraming => ({ chain: undefined, trailer: true, trailerNames: [], decodedBytes })

  it('a chunk of any length streams: unsigned at once, signed small ones when verified, large ones while hashed', () => {
    const large = Buffer.alloc(1024 * 1024)
    const decoder = new ChunkedDecoder({ chain: { ...signer.chain, verifier }, trailer: false, trailerNames: [], decodedBytes: large.length })
    const wire = encodeChunked([large], undefined, signer)
    expect(decoder.push(wire.subarray(0, 70_000)).reduce((sum, piece) => sum + piece.length, 0)).toBeGreaterThan(69_000)
    const small = new ChunkedDecoder({ chain: { ...signer.chain, verifier }, trailer: false, trailerNames: [], decodedBytes: 1000 })
    const framed = encodeChunked([Buffer.alloc(1000)], undefined, signer)
    expect(small.push(framed.subarray(0, 900))).toEqual([])
    expect(Buffer.concat(small.push(framed.subarray(900))).length).toBe(1000)
  })

  it('thousands of tiny pieces of one held chunk', () => {
    const plain = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) >> 3))
    const wire = encodeChunked([plain], undefined, signer)
    const framing = { chain: { ...signer.chain, verifier }, trailer: false, trailerNames: [], decodedBytes: plain.length }
    expect(decode(framing, [...wire].map((byte) => Buffer.from([byte]))).bytes.equals(plain)).toBe(true)
  })

  it('an altered small chunk is never released', () => {
    const wire = encodeChunked([Buffer.alloc(1000)], undefined, signer)
    wire[500] = 1
    const decoder = new ChunkedDecoder({ chain: { ...signer.chain, verifier }, trailer: false, trailerNames: [], decodedBytes: 1000 })
    const released: Buffer[] = []
    expect(() => released.push(...decoder.push(wire))).toThrow(SigV4Error)
    expect(released).toEqual([])
  })

  it('nothing is copied', () => {
    const wire = encodeChunked([Buffer.alloc(1000, 7)], {})
    const [piece] = new ChunkedDecoder(unsigned(1000)).push(wire)
    expect(piece?.buffer).toBe(wire.buffer)
  })

  it.each([
    ['more than announced', '6\r\nabcdef\r\n0\r\n\r\n', 'IncompleteBody'],
    ['less than announced', '4\r\nabcd\r\n0\r\n\r\n', 'IncompleteBody'],
    ['an endless size line', 'a'.repeat(20_000), 'IncompleteBody'],
    ['a signature where none belongs', `5;chunk-signature=${'a'.repeat(64)}\r\nabcde\r\n0\r\n\r\n`, 'IncompleteBody'],
    ['a chunk longer than it says', '4\r\nabcde\r\n0\r\n\r\n', 'IncompleteBody'],
    ['a trailer that was not announced', '5\r\nabcde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer without a colon', '5\r\nabcde\r\n0\r\nabc\r\n\r\n', 'MalformedTrailerError'],
    ['exactly what was announced', '5\r\nabcde\r\n0\r\n\r\n', 'accepted'],
    ['no bytes at all', '', 'IncompleteBody'],
  ])('%s', (_, wire, code) => {
    expect(codeOf(unsigned(5), [Buffer.from(wire)])).toBe(code)
  })

  it('a trailer that was announced and is not there', () => {
    expect(codeOf({ ...unsigned(0), trailerNames: ['x-amz-checksum-crc32'] }, [Buffer.from('0\r\n\r\n')])).toBe('MalformedTrailerError')
  })
})

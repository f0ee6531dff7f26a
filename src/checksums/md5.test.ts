import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileKernel } from './build-kernels.ts'
import { Md5 } from './md5.ts'
import { md5WasmBase64 } from './md5-wasm.ts'

const content = Buffer.from(Array.from({ length: 900_000 }, (_, index) => (index * 7919) >> 3))
const expected = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')

function digestOf(bytes: Uint8Array, pieceBytes: number): string {
  const md5 = new Md5()
  for (let at = 0; at < bytes.length; at += pieceBytes) md5.update(bytes.subarray(at, at + pieceBytes))
  return md5.digest().toString('hex')
}

describe('MD5', () => {
  it('is that of RFC 1321', () => {
    expect(new Md5().digest().toString('hex')).toBe('d41d8cd98f00b204e9800998ecf8427e')
    expect(digestOf(Buffer.from('message digest'), 5)).toBe('f96b697d7cb7938d525a2f31aaf161d0')
  })

  it('equals OpenSSL’s for every length around its blocks and its buffer', () => {
    const lengths = [...Array.from({ length: 200 }, (_, length) => length), 131_071, 131_072, 131_073, 262_144, 800_001]
    for (const length of lengths) expect(digestOf(content.subarray(0, length), 70_001)).toBe(expected(content.subarray(0, length)))
  })

  it('equals OpenSSL’s for streams of any number and length, hashed together in any order', () => {
    fc.assert(fc.property(fc.array(fc.record({ from: fc.nat(1000), pieces: fc.array(fc.nat(90_000), { maxLength: 9 }) }), { minLength: 1, maxLength: 9 }), fc.array(fc.nat(8), { maxLength: 90 }), (plans, order) => {
      const streams = plans.map(({ from, pieces }) => ({ md5: new Md5(), at: from, from, pieces: [...pieces] }))
      const step = (stream: (typeof streams)[number] | undefined): void => {
        const count = stream?.pieces.shift()
        if (stream === undefined || count === undefined) return
        stream.md5.update(content.subarray(stream.at, stream.at + count))
        stream.at += count
      }
      for (const index of order) step(streams[index])
      for (const stream of streams) while (stream.pieces.length > 0) step(stream)
      for (const { md5, from, at } of streams) expect(md5.digest().toString('hex')).toBe(expected(content.subarray(from, at)))
    }), { numRuns: 60 })
  })

  it('goes on with more streams than there are buffers, and with abandoned ones', () => {
    const streams = Array.from({ length: 200 }, () => new Md5())
    for (const [index, md5] of streams.entries()) md5.update(content.subarray(index, index + 3000))
    for (const [index, md5] of streams.slice(0, 150).entries()) expect(md5.digest().toString('hex')).toBe(expected(content.subarray(index, index + 3000)))
    expect(digestOf(content.subarray(0, 500_000), 65_536)).toBe(expected(content.subarray(0, 500_000)))
  })

  it('keeps none of the caller’s bytes', () => {
    const piece = Buffer.from(content.subarray(0, 1000))
    const md5 = new Md5()
    md5.update(piece)
    piece.fill(0)
    expect(md5.digest().toString('hex')).toBe(expected(content.subarray(0, 1000)))
  })

  it('is what its source compiles to', { timeout: 30_000 }, async () => {
    expect(Buffer.from(await compileKernel('md5')).toString('base64')).toBe(md5WasmBase64)
  })
})

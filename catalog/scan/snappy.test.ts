import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unsnapAvroBlock } from './snappy.ts'

const withChecksum = (packed: Buffer, plain: Buffer): Buffer => {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(plain))
  return Buffer.concat([packed, checksum])
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return Buffer.from([...bytes, value])
}

type Element = { readonly literal: Buffer } | { readonly offset: number; readonly length: number; readonly wide: 1 | 2 | 4 }

/** Packs elements as the format says, and says what they unpack to, byte by byte. */
function pack(elements: readonly Element[]): { readonly packed: Buffer; readonly plain: Buffer } {
  const plain: number[] = []
  const parts: Buffer[] = []
  for (const element of elements) {
    if ('literal' in element) {
      const { literal } = element
      if (literal.length === 0) continue
      const length = literal.length - 1
      parts.push(length < 60 ? Buffer.from([length << 2]) : length < 256 ? Buffer.from([60 << 2, length]) : Buffer.from([61 << 2, length & 255, length >> 8]), literal)
      plain.push(...literal)
    } else {
      const offset = 1 + (element.offset % Math.max(1, plain.length))
      if (plain.length === 0) continue
      const narrow = element.wide === 1 && offset < 2048 && element.length >= 4 && element.length <= 11
      if (narrow) parts.push(Buffer.from([1 | ((element.length - 4) << 2) | ((offset >> 8) << 5), offset & 255]))
      else if (element.wide !== 4) parts.push(Buffer.from([2 | ((element.length - 1) << 2), offset & 255, offset >> 8]))
      else parts.push(Buffer.from([3 | ((element.length - 1) << 2), offset & 255, offset >> 8, 0, 0]))
      for (let count = 0; count < element.length; count++) plain.push(plain[plain.length - offset] ?? 0)
    }
  }
  return { packed: Buffer.concat([varint(plain.length), ...parts]), plain: Buffer.from(plain) }
}

const anElement: fc.Arbitrary<Element> = fc.oneof(
  fc.record({ literal: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) }),
  fc.record({ offset: fc.nat(3000), length: fc.integer({ min: 1, max: 64 }), wide: fc.constantFrom(1 as const, 2 as const, 4 as const) }),
)

describe('snappy blocks of Avro', () => {
  test('of any elements are unpacked', () => {
    fc.assert(
      fc.property(fc.array(anElement, { maxLength: 30 }), (elements) => {
        const { packed, plain } = pack(elements)
        expect(unsnapAvroBlock(withChecksum(packed, plain), 100_000).equals(plain)).toBe(true)
      }),
    )
  })

  test('that are damaged are refused, and never loop or write outside', () => {
    fc.assert(
      fc.property(fc.array(anElement, { minLength: 1, maxLength: 10 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (elements, place, flip) => {
        const { packed, plain } = pack(elements)
        const damaged = withChecksum(packed, plain)
        const at = place % damaged.length
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at)
        // A change may leave the bytes as they were: a longer offset into a run of one byte.
        let unpacked: Buffer | undefined
        try {
          unpacked = unsnapAvroBlock(damaged, 100_000)
        } catch {
          unpacked = plain
        }
        expect(unpacked.equals(plain)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('that would be too large are refused before they are made', () => {
    expect(() => unsnapAvroBlock(withChecksum(varint(2 ** 31), Buffer.alloc(0)), 1000)).toThrow('too large')
    expect(() => unsnapAvroBlock(Buffer.alloc(3), 1000)).toThrow('checksum')
  })

  /** Packed by pyarrow 24.0.0: `pa.Codec('snappy').compress(b'Moraine' * 20)`. */
  test('of another library are unpacked', () => {
    const packed = Buffer.from('8c01184d6f7261696e65fe0700fe07000507', 'hex')
    const plain = Buffer.from('Moraine'.repeat(20))
    expect(unsnapAvroBlock(withChecksum(packed, plain), 1000).equals(plain)).toBe(true)
  })
})

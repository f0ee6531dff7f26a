import { crc32 } from 'node:zlib'

/**
 * Unpacks an Avro block that is compressed with Snappy: Snappy's block format
 * (https://github.com/google/snappy/blob/main/format_description.txt), then the CRC-32 of what was
 * packed, big endian. Throws when it is damaged, or would be larger than `maxBytes`.
 */
export function unsnapAvroBlock(block: Buffer, maxBytes: number): Buffer {
  if (block.length < 4) throw new Error('a snappy block without its checksum')
  const unpacked = unsnap(block.subarray(0, -4), maxBytes)
  if (crc32(unpacked) !== block.readUInt32BE(block.length - 4)) throw new Error('a snappy block does not match its checksum')
  return unpacked
}

/** The bits of an element's first byte that say what it is. */
const kinds = { literal: 0, copy1: 1, copy2: 2 } as const

function unsnap(packed: Buffer, maxBytes: number): Buffer {
  const { value: length, at: start } = readVarint(packed)
  if (length > maxBytes) throw new Error('a snappy block is too large')
  const output = Buffer.alloc(length)
  let at = start
  let size = 0
  while (at < packed.length) {
    const tag = packed.readUInt8(at++)
    if ((tag & 3) === kinds.literal) {
      const literal = literalLength(packed, tag, at)
      at = literal.at + literal.length
      if (at > packed.length || size + literal.length > length) throw new Error('a snappy block is damaged')
      packed.copy(output, size, literal.at, at)
      size += literal.length
    } else {
      const copy = readCopy(packed, tag, at)
      at = copy.at
      if (copy.offset === 0 || copy.offset > size || size + copy.length > length) throw new Error('a snappy block is damaged')
      repeat(output, size, copy.offset, copy.length)
      size += copy.length
    }
  }
  if (size !== length) throw new Error('a snappy block is cut short')
  return output
}

/** Copies what was written `offset` bytes ago; it may overlap itself, and then repeats. */
function repeat(output: Buffer, at: number, offset: number, length: number): void {
  for (let done = 0; done < length; ) {
    const count = Math.min(length - done, offset + done)
    output.copyWithin(at + done, at - offset, at - offset + count)
    done += count
  }
}

function readVarint(bytes: Buffer): { readonly value: number; readonly at: number } {
  let value = 0
  for (let at = 0; at < 5; at++) {
    const byte = bytes.readUInt8(at)
    value += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return { value, at: at + 1 }
  }
  throw new Error('a snappy block has no length')
}

function literalLength(packed: Buffer, tag: number, at: number): { readonly length: number; readonly at: number } {
  const short = tag >> 2
  if (short < 60) return { length: short + 1, at }
  const bytes = short - 59
  return { length: packed.readUIntLE(at, bytes) + 1, at: at + bytes }
}

function readCopy(packed: Buffer, tag: number, at: number): { readonly length: number; readonly offset: number; readonly at: number } {
  switch (tag & 3) {
    case kinds.copy1:
      return { length: ((tag >> 2) & 7) + 4, offset: ((tag >> 5) << 8) | packed.readUInt8(at), at: at + 1 }
    case kinds.copy2:
      return { length: (tag >> 2) + 1, offset: packed.readUInt16LE(at), at: at + 2 }
    default:
      return { length: (tag >> 2) + 1, offset: packed.readUInt32LE(at), at: at + 4 }
  }
}

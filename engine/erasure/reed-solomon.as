/**
 * Products of a matrix over GF(2^8) with shards, in AssemblyScript. `build-kernel.ts` compiles it; the result is checked in.
 *
 * A product of a byte and a constant is the sum of two products, one for each half of the byte, and each of those is one of
 * 16: a lookup that `relaxed_swizzle` makes for 16 bytes at once. Two rows go over the inputs together, so that each input
 * is loaded and split once for both.
 *
 * Memory, each part written by the host before a call: addresses of the inputs (u32), addresses of the outputs (u32), then
 * for each row and input 32 bytes, the products of the low halves 0 … 15 and of the high halves. Shards lie behind.
 */

const INPUTS: usize = 0
const OUTPUTS: usize = 128
const TABLES: usize = 256
const TABLE_BYTES: usize = 32
/** Bytes of each shard in one round; the host leaves room for as many behind a shard's end. */
const STEP: usize = 32

// @ts-ignore: decorator
@inline
function look(table: usize, halves: v128): v128 {
  return i8x16.relaxed_swizzle(v128.load(table), halves)
}

function twoRows(row: usize, count: usize, lengthBytes: usize): void {
  const first = load<u32>(OUTPUTS + (row << 2))
  const second = load<u32>(OUTPUTS + (row << 2), 4)
  const rowBytes = count * TABLE_BYTES
  const tables = TABLES + row * rowBytes
  const mask = i8x16.splat(15)
  for (let at: usize = 0; at < lengthBytes; at += STEP) {
    let firstLeft = i8x16.splat(0)
    let firstRight = i8x16.splat(0)
    let secondLeft = i8x16.splat(0)
    let secondRight = i8x16.splat(0)
    let table = tables
    for (let input: usize = 0; input < count; input++) {
      const address = load<u32>(INPUTS + (input << 2)) + at
      const left = v128.load(address)
      const right = v128.load(address, 16)
      const leftLow = v128.and(left, mask)
      const rightLow = v128.and(right, mask)
      const leftHigh = i8x16.shr_u(left, 4)
      const rightHigh = i8x16.shr_u(right, 4)
      firstLeft = v128.xor(firstLeft, v128.xor(look(table, leftLow), look(table + 16, leftHigh)))
      firstRight = v128.xor(firstRight, v128.xor(look(table, rightLow), look(table + 16, rightHigh)))
      secondLeft = v128.xor(secondLeft, v128.xor(look(table + rowBytes, leftLow), look(table + rowBytes + 16, leftHigh)))
      secondRight = v128.xor(secondRight, v128.xor(look(table + rowBytes, rightLow), look(table + rowBytes + 16, rightHigh)))
      table += TABLE_BYTES
    }
    v128.store(first + at, firstLeft)
    v128.store(first + at, firstRight, 16)
    v128.store(second + at, secondLeft)
    v128.store(second + at, secondRight, 16)
  }
}

function oneRow(row: usize, count: usize, lengthBytes: usize): void {
  const output = load<u32>(OUTPUTS + (row << 2))
  const tables = TABLES + row * count * TABLE_BYTES
  const mask = i8x16.splat(15)
  for (let at: usize = 0; at < lengthBytes; at += STEP) {
    let outLeft = i8x16.splat(0)
    let outRight = i8x16.splat(0)
    let table = tables
    for (let input: usize = 0; input < count; input++) {
      const address = load<u32>(INPUTS + (input << 2)) + at
      const left = v128.load(address)
      const right = v128.load(address, 16)
      outLeft = v128.xor(outLeft, v128.xor(look(table, v128.and(left, mask)), look(table + 16, i8x16.shr_u(left, 4))))
      outRight = v128.xor(outRight, v128.xor(look(table, v128.and(right, mask)), look(table + 16, i8x16.shr_u(right, 4))))
      table += TABLE_BYTES
    }
    v128.store(output + at, outLeft)
    v128.store(output + at, outRight, 16)
  }
}

/** `rows` outputs of `lengthBytes` from `count` inputs; up to 31 bytes behind each output's end are overwritten. */
export function multiply(rows: usize, count: usize, lengthBytes: usize): void {
  let row: usize = 0
  for (; row + 1 < rows; row += 2) twoRows(row, count, lengthBytes)
  if (row < rows) oneRow(row, count, lengthBytes)
}

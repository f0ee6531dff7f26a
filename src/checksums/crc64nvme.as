/**
 * CRC-64/NVME in AssemblyScript. `build-kernels.ts` compiles it; the result is checked in.
 *
 * Four remainders run side by side, each over every fourth word of 8 bytes, so that the processor need not wait for one
 * before it goes on with the next ("braiding"); the last four words bring them together.
 * Table n gives what a byte does to the remainder when n more bytes follow it.
 *
 * Memory: tables 0 … 7, tables 24 … 31, 256 × 8 bytes each; then a buffer that the host fills.
 */

const POLYNOMIAL: u64 = 0x9a6c9329ac4bc9b5
const TABLE_BYTES: usize = 2048
const BRAID: usize = 8 * TABLE_BYTES
const BUFFER: usize = 16 * TABLE_BYTES
/** Four words. */
const STEP: usize = 32

/** Fills the tables; call once. Returns where the buffer begins. */
export function prepare(): usize {
  for (let index: u32 = 0; index < 256; index++) {
    let value: u64 = index
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ POLYNOMIAL : value >> 1
    store<u64>(index << 3, value)
  }
  for (let index: usize = 0; index < 256; index++) {
    let value = load<u64>(index << 3)
    for (let following: usize = 1; following < STEP; following++) {
      value = (value >> 8) ^ load<u64>(<usize>(value & 255) << 3)
      if (following < 8) store<u64>(following * TABLE_BYTES + (index << 3), value)
      if (following >= STEP - 8) store<u64>(BRAID + (following - (STEP - 8)) * TABLE_BYTES + (index << 3), value)
    }
  }
  return BUFFER
}

// @ts-ignore: decorator
@inline
function look(table: usize, value: u64, shift: u64): u64 {
  // A byte times 8, shifted there at once.
  return load<u64>(<usize>((shift > 0 ? value >> (shift - 3) : value << 3) & 0x7f8) + table)
}

/** A word through eight tables; `tables` is where the first begins. */
// @ts-ignore: decorator
@inline
function fold(tables: usize, word: u64): u64 {
  return (
    (look(tables + 7 * TABLE_BYTES, word, 0) ^ look(tables + 6 * TABLE_BYTES, word, 8)) ^
    (look(tables + 5 * TABLE_BYTES, word, 16) ^ look(tables + 4 * TABLE_BYTES, word, 24)) ^
    (look(tables + 3 * TABLE_BYTES, word, 32) ^ look(tables + 2 * TABLE_BYTES, word, 40)) ^
    (look(tables + TABLE_BYTES, word, 48) ^ look(tables, word, 56))
  )
}

/** The CRC of what `crc` covers followed by the first `length` bytes of the buffer. */
export function update(crc: u64, length: usize): u64 {
  let state = ~crc
  let at = BUFFER
  const end = BUFFER + length
  if (length >= 2 * STEP) {
    const lastStep = BUFFER + (length / STEP - 1) * STEP
    let first = state
    let second: u64 = 0
    let third: u64 = 0
    let fourth: u64 = 0
    while (at < lastStep) {
      first = fold(BRAID, load<u64>(at) ^ first)
      second = fold(BRAID, load<u64>(at, 8) ^ second)
      third = fold(BRAID, load<u64>(at, 16) ^ third)
      fourth = fold(BRAID, load<u64>(at, 24) ^ fourth)
      at += STEP
    }
    state = fold(0, load<u64>(at) ^ first)
    state = fold(0, load<u64>(at, 8) ^ second ^ state)
    state = fold(0, load<u64>(at, 16) ^ third ^ state)
    state = fold(0, load<u64>(at, 24) ^ fourth ^ state)
    at += STEP
  }
  while (at < end) {
    state = load<u64>(<usize>((state ^ load<u8>(at)) & 255) << 3) ^ (state >> 8)
    at++
  }
  return ~state
}

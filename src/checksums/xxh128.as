/**
 * The long-input part of XXH3's 128-bit hash, in AssemblyScript. `build-kernels.ts` compiles it; the result is checked in.
 * Specification: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH3 Algorithm (for large inputs)".
 *
 * Memory: the secret (192 bytes), eight accumulators, the digest (low, high), then a buffer that the host fills:
 * 64 bytes that have been accumulated already, then those that have not.
 */

const PRIME32_1: u64 = 0x9e3779b1
const PRIME32_2: u64 = 0x85ebca77
const PRIME32_3: u64 = 0xc2b2ae3d
const PRIME64_1: u64 = 0x9e3779b185ebca87
const PRIME64_2: u64 = 0xc2b2ae3d27d4eb4f
const PRIME64_3: u64 = 0x165667b19e3779f9
const PRIME64_4: u64 = 0x85ebca77c2b2ae63
const PRIME64_5: u64 = 0x27d4eb2f165667c5

const SECRET_BYTES: usize = 192
const ACCUMULATORS: usize = 192
const DIGEST: usize = 256
const BUFFER: usize = 512
const STRIPE: usize = 64
const STRIPES_IN_BLOCK: usize = 16

/** The accumulators of an empty input. The host writes the secret to address 0 first. */
export function begin(): void {
  store<u64>(ACCUMULATORS, PRIME32_3)
  store<u64>(ACCUMULATORS, PRIME64_1, 8)
  store<u64>(ACCUMULATORS, PRIME64_2, 16)
  store<u64>(ACCUMULATORS, PRIME64_3, 24)
  store<u64>(ACCUMULATORS, PRIME64_4, 32)
  store<u64>(ACCUMULATORS, PRIME32_2, 40)
  store<u64>(ACCUMULATORS, PRIME64_5, 48)
  store<u64>(ACCUMULATORS, PRIME32_1, 56)
}

// @ts-ignore: decorator
@inline
function lanes(input: usize, secret: usize, lane: usize): void {
  const even = ACCUMULATORS + lane
  const first = load<u64>(input + lane)
  const second = load<u64>(input + lane, 8)
  const firstKey = first ^ load<u64>(secret + lane)
  const secondKey = second ^ load<u64>(secret + lane, 8)
  store<u64>(even, load<u64>(even) + second + (firstKey & 0xffffffff) * (firstKey >> 32))
  store<u64>(even, load<u64>(even, 8) + first + (secondKey & 0xffffffff) * (secondKey >> 32), 8)
}

// @ts-ignore: decorator
@inline
function stripe(input: usize, secret: usize): void {
  lanes(input, secret, 0)
  lanes(input, secret, 16)
  lanes(input, secret, 32)
  lanes(input, secret, 48)
}

function scramble(): void {
  for (let at: usize = 0; at < 64; at += 8) {
    const value = load<u64>(ACCUMULATORS + at)
    store<u64>(ACCUMULATORS + at, ((value ^ (value >> 47)) ^ load<u64>(SECRET_BYTES - STRIPE + at)) * PRIME32_1)
  }
}

/** Accumulates stripes from the buffer, `done` of the current block having gone before. Returns how many of it are done then. */
export function accumulate(count: usize, done: usize): usize {
  let input = BUFFER + STRIPE
  let inBlock = done
  for (let left = count; left > 0; left--) {
    stripe(input, inBlock << 3)
    input += STRIPE
    inBlock++
    if (inBlock === STRIPES_IN_BLOCK) {
      scramble()
      inBlock = 0
    }
  }
  return inBlock
}

function foldedProduct(a: u64, b: u64): u64 {
  const lowLow = (a & 0xffffffff) * (b & 0xffffffff)
  const highLow = (a >> 32) * (b & 0xffffffff)
  const lowHigh = (a & 0xffffffff) * (b >> 32)
  const cross = (lowLow >> 32) + (highLow & 0xffffffff) + lowHigh
  const high = (a >> 32) * (b >> 32) + (highLow >> 32) + (cross >> 32)
  return ((cross << 32) | (lowLow & 0xffffffff)) ^ high
}

function merged(secret: usize, start: u64): u64 {
  let value = start
  for (let at: usize = 0; at < 64; at += 16) {
    value += foldedProduct(load<u64>(ACCUMULATORS + at) ^ load<u64>(secret + at), load<u64>(ACCUMULATORS + at, 8) ^ load<u64>(secret + at, 8))
  }
  value ^= value >> 37
  value *= 0x165667919e3779f9
  return value ^ (value >> 32)
}

/** Ends the hash of `length` bytes, the last 64 of which begin at `last` in the buffer. */
export function finish(length: u64, last: usize): void {
  stripe(BUFFER + last, SECRET_BYTES - STRIPE - 7)
  store<u64>(DIGEST, merged(11, length * PRIME64_1))
  store<u64>(DIGEST, merged(SECRET_BYTES - STRIPE - 11, ~(length * PRIME64_2)), 8)
}

/**
 * MD5 (RFC 1321) of one stream, and of four streams at once, in AssemblyScript. `build-kernels.ts` compiles it; the result
 * is checked in. One stream's steps wait for each other; those of four share every instruction.
 *
 * Memory: the states of four streams (each word of all four, then the next), their message words, sorted likewise, then
 * what the host fills.
 */

const STATES: usize = 0
const WORDS: usize = 64
const BLOCK: usize = 64

// ---- four streams

// @ts-ignore: decorator
@inline
function rotated(value: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(value, bits), i32x4.shr_u(value, 32 - bits))
}

// @ts-ignore: decorator
@inline
function word(message: usize, index: usize, constant: u32): v128 {
  return i32x4.add(v128.load(message + (index << 4)), i32x4.splat(constant))
}

// @ts-ignore: decorator
@inline
function first(a: v128, b: v128, c: v128, d: v128, message: usize, index: usize, constant: u32, bits: i32): v128 {
  const early = i32x4.add(a, word(message, index, constant))
  return i32x4.add(b, rotated(i32x4.add(early, v128.xor(d, v128.and(b, v128.xor(c, d)))), bits))
}

/** The two halves of the function share no bit, so they are added, and the one without `b` is there early. */
// @ts-ignore: decorator
@inline
function second(a: v128, b: v128, c: v128, d: v128, message: usize, index: usize, constant: u32, bits: i32): v128 {
  const early = i32x4.add(i32x4.add(a, word(message, index, constant)), v128.andnot(c, d))
  return i32x4.add(b, rotated(i32x4.add(early, v128.and(b, d)), bits))
}

// @ts-ignore: decorator
@inline
function third(a: v128, b: v128, c: v128, d: v128, message: usize, index: usize, constant: u32, bits: i32): v128 {
  const early = i32x4.add(a, word(message, index, constant))
  return i32x4.add(b, rotated(i32x4.add(early, v128.xor(b, v128.xor(c, d))), bits))
}

// @ts-ignore: decorator
@inline
function fourth(a: v128, b: v128, c: v128, d: v128, message: usize, index: usize, constant: u32, bits: i32): v128 {
  const early = i32x4.add(a, word(message, index, constant))
  return i32x4.add(b, rotated(i32x4.add(early, v128.xor(c, v128.or(b, v128.not(d)))), bits))
}

/** Sixteen bytes of each stream become four words of all of them. */
// @ts-ignore: decorator
@inline
function transpose(w: v128, x: v128, y: v128, z: v128, to: usize): void {
  const low = i8x16.shuffle(w, x, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const high = i8x16.shuffle(w, x, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const lowNext = i8x16.shuffle(y, z, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const highNext = i8x16.shuffle(y, z, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(to, i64x2.shuffle(low, lowNext, 0, 2))
  v128.store(to, i64x2.shuffle(low, lowNext, 1, 3), 16)
  v128.store(to, i64x2.shuffle(high, highNext, 0, 2), 32)
  v128.store(to, i64x2.shuffle(high, highNext, 1, 3), 48)
}

/** So many blocks of each of the streams at these addresses. */
export function four(w: usize, x: usize, y: usize, z: usize, blocks: usize): void {
  const message = WORDS
  for (let left = blocks; left > 0; left--) {
    for (let at: usize = 0; at < BLOCK; at += 16) transpose(v128.load(w + at), v128.load(x + at), v128.load(y + at), v128.load(z + at), WORDS + (at << 2))
    let a = v128.load(STATES)
    let b = v128.load(STATES, 16)
    let c = v128.load(STATES, 32)
    let d = v128.load(STATES, 48)
    a = first(a, b, c, d, message, 0, 0xd76aa478, 7)
    d = first(d, a, b, c, message, 1, 0xe8c7b756, 12)
    c = first(c, d, a, b, message, 2, 0x242070db, 17)
    b = first(b, c, d, a, message, 3, 0xc1bdceee, 22)
    a = first(a, b, c, d, message, 4, 0xf57c0faf, 7)
    d = first(d, a, b, c, message, 5, 0x4787c62a, 12)
    c = first(c, d, a, b, message, 6, 0xa8304613, 17)
    b = first(b, c, d, a, message, 7, 0xfd469501, 22)
    a = first(a, b, c, d, message, 8, 0x698098d8, 7)
    d = first(d, a, b, c, message, 9, 0x8b44f7af, 12)
    c = first(c, d, a, b, message, 10, 0xffff5bb1, 17)
    b = first(b, c, d, a, message, 11, 0x895cd7be, 22)
    a = first(a, b, c, d, message, 12, 0x6b901122, 7)
    d = first(d, a, b, c, message, 13, 0xfd987193, 12)
    c = first(c, d, a, b, message, 14, 0xa679438e, 17)
    b = first(b, c, d, a, message, 15, 0x49b40821, 22)
    a = second(a, b, c, d, message, 1, 0xf61e2562, 5)
    d = second(d, a, b, c, message, 6, 0xc040b340, 9)
    c = second(c, d, a, b, message, 11, 0x265e5a51, 14)
    b = second(b, c, d, a, message, 0, 0xe9b6c7aa, 20)
    a = second(a, b, c, d, message, 5, 0xd62f105d, 5)
    d = second(d, a, b, c, message, 10, 0x02441453, 9)
    c = second(c, d, a, b, message, 15, 0xd8a1e681, 14)
    b = second(b, c, d, a, message, 4, 0xe7d3fbc8, 20)
    a = second(a, b, c, d, message, 9, 0x21e1cde6, 5)
    d = second(d, a, b, c, message, 14, 0xc33707d6, 9)
    c = second(c, d, a, b, message, 3, 0xf4d50d87, 14)
    b = second(b, c, d, a, message, 8, 0x455a14ed, 20)
    a = second(a, b, c, d, message, 13, 0xa9e3e905, 5)
    d = second(d, a, b, c, message, 2, 0xfcefa3f8, 9)
    c = second(c, d, a, b, message, 7, 0x676f02d9, 14)
    b = second(b, c, d, a, message, 12, 0x8d2a4c8a, 20)
    a = third(a, b, c, d, message, 5, 0xfffa3942, 4)
    d = third(d, a, b, c, message, 8, 0x8771f681, 11)
    c = third(c, d, a, b, message, 11, 0x6d9d6122, 16)
    b = third(b, c, d, a, message, 14, 0xfde5380c, 23)
    a = third(a, b, c, d, message, 1, 0xa4beea44, 4)
    d = third(d, a, b, c, message, 4, 0x4bdecfa9, 11)
    c = third(c, d, a, b, message, 7, 0xf6bb4b60, 16)
    b = third(b, c, d, a, message, 10, 0xbebfbc70, 23)
    a = third(a, b, c, d, message, 13, 0x289b7ec6, 4)
    d = third(d, a, b, c, message, 0, 0xeaa127fa, 11)
    c = third(c, d, a, b, message, 3, 0xd4ef3085, 16)
    b = third(b, c, d, a, message, 6, 0x04881d05, 23)
    a = third(a, b, c, d, message, 9, 0xd9d4d039, 4)
    d = third(d, a, b, c, message, 12, 0xe6db99e5, 11)
    c = third(c, d, a, b, message, 15, 0x1fa27cf8, 16)
    b = third(b, c, d, a, message, 2, 0xc4ac5665, 23)
    a = fourth(a, b, c, d, message, 0, 0xf4292244, 6)
    d = fourth(d, a, b, c, message, 7, 0x432aff97, 10)
    c = fourth(c, d, a, b, message, 14, 0xab9423a7, 15)
    b = fourth(b, c, d, a, message, 5, 0xfc93a039, 21)
    a = fourth(a, b, c, d, message, 12, 0x655b59c3, 6)
    d = fourth(d, a, b, c, message, 3, 0x8f0ccc92, 10)
    c = fourth(c, d, a, b, message, 10, 0xffeff47d, 15)
    b = fourth(b, c, d, a, message, 1, 0x85845dd1, 21)
    a = fourth(a, b, c, d, message, 8, 0x6fa87e4f, 6)
    d = fourth(d, a, b, c, message, 15, 0xfe2ce6e0, 10)
    c = fourth(c, d, a, b, message, 6, 0xa3014314, 15)
    b = fourth(b, c, d, a, message, 13, 0x4e0811a1, 21)
    a = fourth(a, b, c, d, message, 4, 0xf7537e82, 6)
    d = fourth(d, a, b, c, message, 11, 0xbd3af235, 10)
    c = fourth(c, d, a, b, message, 2, 0x2ad7d2bb, 15)
    b = fourth(b, c, d, a, message, 9, 0xeb86d391, 21)
    v128.store(STATES, i32x4.add(v128.load(STATES), a))
    v128.store(STATES, i32x4.add(v128.load(STATES, 16), b), 16)
    v128.store(STATES, i32x4.add(v128.load(STATES, 32), c), 32)
    v128.store(STATES, i32x4.add(v128.load(STATES, 48), d), 48)
    w += BLOCK
    x += BLOCK
    y += BLOCK
    z += BLOCK
  }
}

// ---- one stream

// @ts-ignore: decorator
@inline
function firstOne(a: u32, b: u32, c: u32, d: u32, at: usize, index: usize, constant: u32, bits: i32): u32 {
  return b + rotl<u32>(a + load<u32>(at + (index << 2)) + constant + (d ^ (b & (c ^ d))), bits)
}

// @ts-ignore: decorator
@inline
function secondOne(a: u32, b: u32, c: u32, d: u32, at: usize, index: usize, constant: u32, bits: i32): u32 {
  return b + rotl<u32>(a + load<u32>(at + (index << 2)) + constant + (c & ~d) + (b & d), bits)
}

// @ts-ignore: decorator
@inline
function thirdOne(a: u32, b: u32, c: u32, d: u32, at: usize, index: usize, constant: u32, bits: i32): u32 {
  return b + rotl<u32>(a + load<u32>(at + (index << 2)) + constant + (b ^ (c ^ d)), bits)
}

// @ts-ignore: decorator
@inline
function fourthOne(a: u32, b: u32, c: u32, d: u32, at: usize, index: usize, constant: u32, bits: i32): u32 {
  return b + rotl<u32>(a + load<u32>(at + (index << 2)) + constant + (c ^ (b | ~d)), bits)
}

/** So many blocks of the stream at this address, whose state is the first. */
export function one(from: usize, blocks: usize): void {
  let at = from
  let wasA = load<u32>(STATES)
  let wasB = load<u32>(STATES, 16)
  let wasC = load<u32>(STATES, 32)
  let wasD = load<u32>(STATES, 48)
  for (let left = blocks; left > 0; left--) {
    let a = wasA
    let b = wasB
    let c = wasC
    let d = wasD
    a = firstOne(a, b, c, d, at, 0, 0xd76aa478, 7)
    d = firstOne(d, a, b, c, at, 1, 0xe8c7b756, 12)
    c = firstOne(c, d, a, b, at, 2, 0x242070db, 17)
    b = firstOne(b, c, d, a, at, 3, 0xc1bdceee, 22)
    a = firstOne(a, b, c, d, at, 4, 0xf57c0faf, 7)
    d = firstOne(d, a, b, c, at, 5, 0x4787c62a, 12)
    c = firstOne(c, d, a, b, at, 6, 0xa8304613, 17)
    b = firstOne(b, c, d, a, at, 7, 0xfd469501, 22)
    a = firstOne(a, b, c, d, at, 8, 0x698098d8, 7)
    d = firstOne(d, a, b, c, at, 9, 0x8b44f7af, 12)
    c = firstOne(c, d, a, b, at, 10, 0xffff5bb1, 17)
    b = firstOne(b, c, d, a, at, 11, 0x895cd7be, 22)
    a = firstOne(a, b, c, d, at, 12, 0x6b901122, 7)
    d = firstOne(d, a, b, c, at, 13, 0xfd987193, 12)
    c = firstOne(c, d, a, b, at, 14, 0xa679438e, 17)
    b = firstOne(b, c, d, a, at, 15, 0x49b40821, 22)
    a = secondOne(a, b, c, d, at, 1, 0xf61e2562, 5)
    d = secondOne(d, a, b, c, at, 6, 0xc040b340, 9)
    c = secondOne(c, d, a, b, at, 11, 0x265e5a51, 14)
    b = secondOne(b, c, d, a, at, 0, 0xe9b6c7aa, 20)
    a = secondOne(a, b, c, d, at, 5, 0xd62f105d, 5)
    d = secondOne(d, a, b, c, at, 10, 0x02441453, 9)
    c = secondOne(c, d, a, b, at, 15, 0xd8a1e681, 14)
    b = secondOne(b, c, d, a, at, 4, 0xe7d3fbc8, 20)
    a = secondOne(a, b, c, d, at, 9, 0x21e1cde6, 5)
    d = secondOne(d, a, b, c, at, 14, 0xc33707d6, 9)
    c = secondOne(c, d, a, b, at, 3, 0xf4d50d87, 14)
    b = secondOne(b, c, d, a, at, 8, 0x455a14ed, 20)
    a = secondOne(a, b, c, d, at, 13, 0xa9e3e905, 5)
    d = secondOne(d, a, b, c, at, 2, 0xfcefa3f8, 9)
    c = secondOne(c, d, a, b, at, 7, 0x676f02d9, 14)
    b = secondOne(b, c, d, a, at, 12, 0x8d2a4c8a, 20)
    a = thirdOne(a, b, c, d, at, 5, 0xfffa3942, 4)
    d = thirdOne(d, a, b, c, at, 8, 0x8771f681, 11)
    c = thirdOne(c, d, a, b, at, 11, 0x6d9d6122, 16)
    b = thirdOne(b, c, d, a, at, 14, 0xfde5380c, 23)
    a = thirdOne(a, b, c, d, at, 1, 0xa4beea44, 4)
    d = thirdOne(d, a, b, c, at, 4, 0x4bdecfa9, 11)
    c = thirdOne(c, d, a, b, at, 7, 0xf6bb4b60, 16)
    b = thirdOne(b, c, d, a, at, 10, 0xbebfbc70, 23)
    a = thirdOne(a, b, c, d, at, 13, 0x289b7ec6, 4)
    d = thirdOne(d, a, b, c, at, 0, 0xeaa127fa, 11)
    c = thirdOne(c, d, a, b, at, 3, 0xd4ef3085, 16)
    b = thirdOne(b, c, d, a, at, 6, 0x04881d05, 23)
    a = thirdOne(a, b, c, d, at, 9, 0xd9d4d039, 4)
    d = thirdOne(d, a, b, c, at, 12, 0xe6db99e5, 11)
    c = thirdOne(c, d, a, b, at, 15, 0x1fa27cf8, 16)
    b = thirdOne(b, c, d, a, at, 2, 0xc4ac5665, 23)
    a = fourthOne(a, b, c, d, at, 0, 0xf4292244, 6)
    d = fourthOne(d, a, b, c, at, 7, 0x432aff97, 10)
    c = fourthOne(c, d, a, b, at, 14, 0xab9423a7, 15)
    b = fourthOne(b, c, d, a, at, 5, 0xfc93a039, 21)
    a = fourthOne(a, b, c, d, at, 12, 0x655b59c3, 6)
    d = fourthOne(d, a, b, c, at, 3, 0x8f0ccc92, 10)
    c = fourthOne(c, d, a, b, at, 10, 0xffeff47d, 15)
    b = fourthOne(b, c, d, a, at, 1, 0x85845dd1, 21)
    a = fourthOne(a, b, c, d, at, 8, 0x6fa87e4f, 6)
    d = fourthOne(d, a, b, c, at, 15, 0xfe2ce6e0, 10)
    c = fourthOne(c, d, a, b, at, 6, 0xa3014314, 15)
    b = fourthOne(b, c, d, a, at, 13, 0x4e0811a1, 21)
    a = fourthOne(a, b, c, d, at, 4, 0xf7537e82, 6)
    d = fourthOne(d, a, b, c, at, 11, 0xbd3af235, 10)
    c = fourthOne(c, d, a, b, at, 2, 0x2ad7d2bb, 15)
    b = fourthOne(b, c, d, a, at, 9, 0xeb86d391, 21)
    wasA += a
    wasB += b
    wasC += c
    wasD += d
    at += BLOCK
  }
  store<u32>(STATES, wasA)
  store<u32>(STATES, wasB, 16)
  store<u32>(STATES, wasC, 32)
  store<u32>(STATES, wasD, 48)
}

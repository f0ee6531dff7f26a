import { assert } from '../../base/assert.ts'
import { crc64Polynomial } from './crc64nvme-table.ts'

/**
 * A CRC is a remainder of polynomials over GF(2), so that of A followed by B is
 * `crc(A) · x^(8·|B|) + crc(B)`: the inversions at both ends cancel out.
 * Polynomials are held with their bits reversed: the highest bit is the coefficient of 1.
 */

export const crc32Polynomial = 0xedb88320
export const crc32cPolynomial = 0x82f63b78

export function combineCrc32(polynomial: number, crcA: number, crcB: number, lengthB: number): number {
  return (multiply32(polynomial, crcA, power32(polynomial, lengthB)) ^ crcB) >>> 0
}

export function combineCrc64(crcA: bigint, crcB: bigint, lengthB: number): bigint {
  return multiply64(crcA, power64(lengthB)) ^ crcB
}

function multiply32(polynomial: number, a: number, b: number): number {
  let product = 0
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= b
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1
  }
  return product >>> 0
}

function multiply64(a: bigint, b: bigint): bigint {
  let product = 0n
  for (let bit = 63n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= b
    b = b & 1n ? (b >> 1n) ^ crc64Polynomial : b >> 1n
  }
  return product
}

/** x^(8·2^n) for n = 0 … 52: a length in bytes is a sum of powers of two. */
const squares32 = new Map([crc32Polynomial, crc32cPolynomial].map((polynomial) => [polynomial, squaresOf(1 << 23, (a) => multiply32(polynomial, a, a))]))
const squares64 = squaresOf(1n << 55n, (a) => multiply64(a, a))

function squaresOf<T>(first: T, square: (value: T) => T): readonly T[] {
  const squares = [first]
  for (let value = square(first); squares.length < 53; value = square(value)) squares.push(value)
  return squares
}

/** Parts of one upload mostly have one length: the last power is kept. */
const lastPower32 = new Map<number, { bytes: number; power: number }>()
let lastPower64 = { bytes: 0, power: 1n << 63n }

function power32(polynomial: number, bytes: number): number {
  const last = lastPower32.get(polynomial)
  if (last?.bytes === bytes) return last.power
  const power = powerOf(bytes, squares32.get(polynomial) ?? [], 0x80000000, (a, b) => multiply32(polynomial, a, b))
  lastPower32.set(polynomial, { bytes, power })
  return power
}

function power64(bytes: number): bigint {
  if (lastPower64.bytes !== bytes) lastPower64 = { bytes, power: powerOf(bytes, squares64, 1n << 63n, multiply64) }
  return lastPower64.power
}

function powerOf<T>(bytes: number, squares: readonly T[], one: T, multiply: (a: T, b: T) => T): T {
  assert(Number.isSafeInteger(bytes) && bytes >= 0, 'a length must be a whole number')
  let power = one
  let left = bytes
  for (const square of squares) {
    if (left === 0) break
    if (left % 2 === 1) power = multiply(power, square)
    left = Math.floor(left / 2)
  }
  return power
}

/** Arithmetic in GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D) and the generator 2, as in Backblaze's and MinIO's codes. */

const polynomial = 0x11d
const order = 255

const exponentials = new Uint8Array(2 * order)
const logarithms = new Uint8Array(256)

for (let power = 0, value = 1; power < order; power++) {
  exponentials[power] = value
  exponentials[power + order] = value
  logarithms[value] = power
  value = value << 1 > 0xff ? (value << 1) ^ polynomial : value << 1
}

export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  return at(exponentials, at(logarithms, a) + at(logarithms, b))
}

/** 1 / `a`, for `a` other than 0. */
export function inverse(a: number): number {
  return at(exponentials, order - at(logarithms, a))
}

/** `a` to the power of `exponent`; 0 to the power of 0 is 1. */
export function power(a: number, exponent: number): number {
  if (exponent === 0) return 1
  return a === 0 ? 0 : at(exponentials, (at(logarithms, a) * exponent) % order)
}

function at(table: Uint8Array, index: number): number {
  return table[index] ?? 0
}

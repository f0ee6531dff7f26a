import { assert, must } from '../../base/assert.ts'
import { inverse, multiply, power } from './galois.ts'

/** Rows of bytes over GF(2^8). */
export type Matrix = readonly (readonly number[])[]

/**
 * The matrix of Backblaze's code, which MinIO and most others share: a Vandermonde matrix times the inverse of its upper
 * square. Its first `dataShards` rows are the identity, and any `dataShards` rows of it can be inverted.
 */
export function systematicMatrix(dataShards: number, totalShards: number): Matrix {
  assert(dataShards > 0 && dataShards <= totalShards && totalShards <= 256, 'a code has 1 to 256 shards')
  const vandermonde = Array.from({ length: totalShards }, (_, row) => Array.from({ length: dataShards }, (_, column) => power(row, column)))
  return product(vandermonde, inverted(vandermonde.slice(0, dataShards)))
}

export function product(left: Matrix, right: Matrix): Matrix {
  const columns = right[0]?.length ?? 0
  return left.map((row) =>
    Array.from({ length: columns }, (_, column) => row.reduce((sum, value, index) => sum ^ multiply(value, right[index]?.[column] ?? 0), 0)),
  )
}

/** By Gauss and Jordan; the matrix must have an inverse. */
export function inverted(matrix: Matrix): Matrix {
  const size = matrix.length
  const work = matrix.map((row, index) => [...row, ...Array.from({ length: size }, (_, column) => (column === index ? 1 : 0))])
  for (let column = 0; column < size; column++) {
    const pivot = work.findIndex((row, index) => index >= column && row[column] !== 0)
    const [from, to] = [must(work[pivot], 'the matrix has an inverse'), must(work[column], 'a row')]
    work[pivot] = to
    const scale = inverse(from[column] ?? 0)
    const scaled = from.map((value) => multiply(value, scale))
    work[column] = scaled
    for (const [index, row] of work.entries()) {
      const factor = row[column] ?? 0
      if (index !== column && factor !== 0) work[index] = row.map((value, at) => value ^ multiply(factor, scaled[at] ?? 0))
    }
  }
  return work.map((row) => row.slice(size))
}

import { assert, must } from '../../base/assert.ts'
import { codingMatrix, type CodingMatrix } from './kernel.ts'
import { inverted, type Matrix, product, systematicMatrix } from './matrix.ts'

/** So many reconstructions are kept ready. With 16 shards there are thousands, but few drives fail at a time. */
const keptReconstructions = 256

/** A Reed–Solomon code: any `dataShards` of the shards give all of them. Shards `0 … dataShards - 1` are the data itself. */
export class ErasureCode {
  readonly dataShards: number
  readonly parityShards: number
  /** From the data shards to the parity shards. */
  readonly parity: CodingMatrix
  readonly #matrix: Matrix
  readonly #reconstructions = new Map<string, CodingMatrix>()

  constructor(dataShards: number, parityShards: number) {
    assert(dataShards >= 1 && parityShards >= 0 && dataShards + parityShards <= 16, 'a set has up to 16 shards')
    this.dataShards = dataShards
    this.parityShards = parityShards
    this.#matrix = systematicMatrix(dataShards, dataShards + parityShards)
    this.parity = codingMatrix(this.#matrix.slice(dataShards))
  }

  /** From the shards `sources`, `dataShards` of them, to the shards `wanted`, in the order of both. */
  reconstruction(sources: readonly number[], wanted: readonly number[]): CodingMatrix {
    assert(sources.length === this.dataShards && new Set(sources).size === sources.length, 'as many sources as there are data shards')
    const key = `${sources.join()}>${wanted.join()}`
    const kept = this.#reconstructions.get(key)
    if (kept !== undefined) return kept
    const fromSources = inverted(this.#rows(sources))
    const made = codingMatrix(product(this.#rows(wanted), fromSources))
    if (this.#reconstructions.size >= keptReconstructions) this.#reconstructions.clear()
    this.#reconstructions.set(key, made)
    return made
  }

  #rows(shards: readonly number[]): Matrix {
    return shards.map((shard) => must(this.#matrix[shard], 'a shard of the code'))
  }
}

const codes = new Map<string, ErasureCode>()

/** The code of so many shards: one for the process. */
export function erasureCode(dataShards: number, parityShards: number): ErasureCode {
  const key = `${dataShards}+${parityShards}`
  const code = codes.get(key) ?? new ErasureCode(dataShards, parityShards)
  codes.set(key, code)
  return code
}

import { assert } from '../../base/assert.ts'
import { holdsPages } from '../drives/page-memory.ts'
import { multiply } from './galois.ts'
import type { Matrix } from './matrix.ts'
import { reedSolomonWasmBase64 } from './reed-solomon-wasm.ts'

interface Memory {
  readonly buffer: ArrayBuffer
}

interface KernelExports {
  multiply(rows: number, count: number, lengthBytes: number): void
}

/** The part of the WebAssembly API used here: TypeScript has it only in its library for browsers. */
declare const WebAssembly: {
  readonly validate: (binary: Uint8Array) => boolean
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => Memory
  readonly Module: new (binary: Uint8Array) => object
  readonly Instance: new (module: object, imports: { readonly env: { readonly memory: Memory } }) => { readonly exports: unknown }
}

/** A matrix made ready for the kernel: 32 bytes for each of its values, the products of the halves of a byte. */
export interface CodingMatrix {
  readonly rows: number
  readonly columns: number
  readonly tables: Uint8Array
}

const tableBytes = 32
/** The kernel takes so many inputs or outputs at once. */
export const maxKernelShards = 32
/** Behind a shard's end the kernel may overwrite so many bytes. */
export const slackBytes = 31

export function codingMatrix(matrix: Matrix): CodingMatrix {
  const [rows, columns] = [matrix.length, matrix[0]?.length ?? 0]
  assert(rows <= maxKernelShards && columns <= maxKernelShards, 'the matrix fits the kernel')
  const tables = new Uint8Array(rows * columns * tableBytes)
  for (const [index, value] of matrix.flat().entries()) {
    for (let half = 0; half < 16; half++) {
      tables[index * tableBytes + half] = multiply(value, half)
      tables[index * tableBytes + 16 + half] = multiply(value, half << 4)
    }
  }
  return { rows, columns, tables }
}

/** Where the kernel's own part of the memory ends: addresses, then the tables of the largest matrix of a set of 16 drives. */
const inputsAt = 0
const outputsAt = 128
const tablesAt = 256
const shardsAt = 16 * 1024
const pageBytes = 64 * 1024

/**
 * Memory that shards live in, so that they are coded where they are: filled, coded and written out without another copy.
 * Its size never changes, so a view of it stays good.
 */
export class ErasureArena {
  /** What is the caller's of the memory; it begins at the beginning of a page. */
  readonly bytes: Buffer
  readonly #control: DataView
  readonly #memory: Uint8Array
  readonly #multiply: (matrix: CodingMatrix, lengthBytes: number) => void
  #loaded: CodingMatrix | undefined

  constructor(sizeBytes: number, kernel: Kernel = bestKernel()) {
    const pages = Math.ceil((shardsAt + sizeBytes + slackBytes) / pageBytes)
    const { buffer, run } = kernel(pages)
    this.#memory = new Uint8Array(buffer)
    this.#control = new DataView(buffer)
    this.bytes = Buffer.from(buffer, shardsAt, sizeBytes)
    this.#multiply = run
  }

  /**
   * The product of the matrix and the inputs: each address is that of a shard within `bytes`, `lengthBytes` long. Behind an
   * output's end up to `slackBytes` bytes are overwritten, unless the length is a multiple of 32.
   */
  multiply(matrix: CodingMatrix, inputs: readonly number[], outputs: readonly number[], lengthBytes: number): void {
    assert(inputs.length === matrix.columns && outputs.length === matrix.rows, 'the shards fit the matrix')
    if (matrix !== this.#loaded) this.#memory.set(matrix.tables, tablesAt)
    this.#loaded = matrix
    for (const [index, address] of inputs.entries()) this.#control.setUint32(inputsAt + 4 * index, shardsAt + address, true)
    for (const [index, address] of outputs.entries()) this.#control.setUint32(outputsAt + 4 * index, shardsAt + address, true)
    this.#multiply(matrix, lengthBytes)
  }
}

/** Memory of so many pages of 64 KiB, and what multiplies in it. */
export type Kernel = (pages: number) => {
  readonly buffer: ArrayBuffer
  readonly run: (matrix: CodingMatrix, lengthBytes: number) => void
}

const binary = Buffer.from(reedSolomonWasmBase64, 'base64')
let compiled: object | undefined

/** WebAssembly with relaxed SIMD: 16 bytes of two rows at once. */
export const wasmKernel: Kernel = (pages) => {
  compiled ??= new WebAssembly.Module(binary)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  holdsPages(memory.buffer)
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as KernelExports
  return { buffer: memory.buffer, run: ({ rows, columns }, lengthBytes) => exports.multiply(rows, columns, lengthBytes) }
}

/** The same, a byte at a time, where there is no relaxed SIMD. */
export const scalarKernel: Kernel = (pages) => {
  const buffer = new ArrayBuffer(pages * pageBytes)
  const memory = new Uint8Array(buffer)
  const control = new DataView(buffer)
  const run = ({ rows, columns }: CodingMatrix, lengthBytes: number): void => {
    const inputs = Array.from({ length: columns }, (_, column) => control.getUint32(inputsAt + 4 * column, true))
    for (let row = 0; row < rows; row++) {
      const output = control.getUint32(outputsAt + 4 * row, true)
      memory.fill(0, output, output + lengthBytes)
      for (const [column, input] of inputs.entries()) {
        const table = tablesAt + (row * columns + column) * tableBytes
        for (let at = 0; at < lengthBytes; at++) {
          const value = memory[input + at] ?? 0
          const low = memory[table + (value & 15)] ?? 0
          const high = memory[table + 16 + (value >> 4)] ?? 0
          memory[output + at] = (memory[output + at] ?? 0) ^ low ^ high
        }
      }
    }
  }
  return { buffer, run }
}

export function bestKernel(): Kernel {
  return WebAssembly.validate(binary) ? wasmKernel : scalarKernel
}

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ReedSolomonErasure } from '@subspace/reed-solomon-erasure.wasm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { compileKernel } from './build-kernel.ts'
import { ErasureCode } from './erasure-code.ts'
import { inverse, multiply, power } from './galois.ts'
import { ErasureArena, type Kernel, scalarKernel, slackBytes, wasmKernel } from './kernel.ts'
import { reedSolomonWasmBase64 } from './reed-solomon-wasm.ts'

const oraclePath = createRequire(import.meta.url).resolve('@subspace/reed-solomon-erasure.wasm')
const oracleBinary = readFileSync(join(dirname(oraclePath), 'reed_solomon_erasure_bg.wasm'))
/** A new one for each use: it frees its input twice, so the next calls of one instance go wrong. */
const newOracle = () => ReedSolomonErasure.fromBytes(oracleBinary)

const kernels: readonly (readonly [string, Kernel])[] = [
  ['wasm', wasmKernel],
  ['scalar', scalarKernel],
]

/** All shards, the parities computed by the kernel, one after the other; each at a stride that is no multiple of 16. */
function encoded(kernel: Kernel, code: ErasureCode, data: readonly Uint8Array[], shardBytes: number) {
  const total = code.dataShards + code.parityShards
  const stride = shardBytes + slackBytes + 6
  const arena = new ErasureArena(stride * total, kernel)
  const address = (shard: number) => shard * stride
  for (const [shard, bytes] of data.entries()) arena.bytes.set(bytes, address(shard))
  const shards = Array.from({ length: total }, (_, shard) => shard)
  arena.multiply(code.parity, shards.slice(0, code.dataShards).map(address), shards.slice(code.dataShards).map(address), shardBytes)
  return { arena, address, shard: (index: number) => Buffer.from(arena.bytes.subarray(address(index), address(index) + shardBytes)) }
}

function dataOf(seed: number, dataShards: number, shardBytes: number): Uint8Array[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: dataShards }, () => random.bytes(shardBytes))
}

function byOracle(data: readonly Uint8Array[], parityShards: number, shardBytes: number): Buffer[] {
  const all = Buffer.concat([...data, Buffer.alloc(parityShards * shardBytes)])
  expect(newOracle().encode(all, data.length, parityShards)).toBe(ReedSolomonErasure.RESULT_OK)
  return Array.from({ length: data.length + parityShards }, (_, shard) => all.subarray(shard * shardBytes, (shard + 1) * shardBytes))
}

describe('GF(2^8)', () => {
  it('is a field', () => {
    for (let a = 1; a < 256; a++) {
      expect(multiply(a, inverse(a))).toBe(1)
      expect(power(a, 3)).toBe(multiply(a, multiply(a, a)))
      expect(power(a, 255)).toBe(1)
    }
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(fc.property(byte, byte, byte, (a, b, c) => multiply(a, b ^ c) === (multiply(a, b) ^ multiply(a, c)) && multiply(multiply(a, b), c) === multiply(a, multiply(b, c))))
  })
})

it('the checked-in kernel is what its source builds', async () => {
  expect(Buffer.from(await compileKernel()).toString('base64')).toBe(reedSolomonWasmBase64)
})

describe.each(kernels)('%s', (_, kernel) => {
  it('makes the oracle’s parities for every code of up to 16 shards', () => {
    for (let dataShards = 1; dataShards <= 16; dataShards++) {
      for (let parityShards = 1; dataShards + parityShards <= 16; parityShards++) {
        const shardBytes = 1 + ((dataShards * 37 + parityShards * 11) % 200)
        const data = dataOf(dataShards * 100 + parityShards, dataShards, shardBytes)
        const { shard } = encoded(kernel, new ErasureCode(dataShards, parityShards), data, shardBytes)
        for (const [index, expected] of byOracle(data, parityShards, shardBytes).entries()) expect(shard(index).equals(expected)).toBe(true)
      }
    }
  })

  it('makes them for every length up to 200 bytes, and long ones', () => {
    const code = new ErasureCode(4, 3)
    const lengths = [...Array.from({ length: 200 }, (_, length) => length + 1), 4095, 65_536, 100_003]
    for (const shardBytes of lengths) {
      const data = dataOf(shardBytes, 4, shardBytes)
      const { shard } = encoded(kernel, code, data, shardBytes)
      for (const [index, expected] of byOracle(data, 3, shardBytes).entries()) expect(shard(index).equals(expected)).toBe(true)
    }
  })

  it('rebuilds every shard from any that are enough', () => {
    for (let total = 2; total <= 10; total++) {
      for (let parityShards = 1; parityShards < total; parityShards++) {
        const code = new ErasureCode(total - parityShards, parityShards)
        const data = dataOf(total, code.dataShards, 70)
        const { arena, address, shard } = encoded(kernel, code, data, 70)
        const whole = Array.from({ length: total }, (_, index) => shard(index))
        for (let lost = 1; lost < 1 << total; lost++) {
          const wanted = whole.flatMap((_, index) => (((lost >> index) & 1) === 1 ? [index] : []))
          if (wanted.length > parityShards) continue
          const sources = whole.flatMap((_, index) => (wanted.includes(index) ? [] : [index])).slice(0, code.dataShards)
          for (const index of wanted) arena.bytes.fill(0xa5, address(index), address(index) + 70)
          arena.multiply(code.reconstruction(sources, wanted), sources.map(address), wanted.map(address), 70)
          for (const index of wanted) expect(shard(index).equals(whole[index] ?? Buffer.of())).toBe(true)
        }
      }
    }
  })

  it('agrees with the oracle on random codes, lengths and erasures', () => {
    const codes = fc.integer({ min: 1, max: 15 }).chain((dataShards) =>
      fc.record({ dataShards: fc.constant(dataShards), parityShards: fc.integer({ min: 1, max: 16 - dataShards }), shardBytes: fc.integer({ min: 1, max: 300 }), seed: fc.nat() }))
    fc.assert(
      fc.property(codes, ({ dataShards, parityShards, shardBytes, seed }) => {
        const code = new ErasureCode(dataShards, parityShards)
        const data = dataOf(seed, dataShards, shardBytes)
        const { arena, address, shard } = encoded(kernel, code, data, shardBytes)
        const expected = byOracle(data, parityShards, shardBytes)
        const order = shuffled(dataShards + parityShards, seed)
        const [sources, wanted] = [order.slice(0, dataShards), order.slice(dataShards)]
        for (const index of wanted) arena.bytes.fill(0, address(index), address(index) + shardBytes)
        arena.multiply(code.reconstruction(sources, wanted), sources.map(address), wanted.map(address), shardBytes)
        expect(order.every((index) => shard(index).equals(expected[index] ?? Buffer.of()))).toBe(true)
        const damaged = Buffer.concat(expected.map((bytes, index) => (wanted.includes(index) ? Buffer.alloc(bytes.length) : bytes)))
        const available = expected.map((_, index) => !wanted.includes(index))
        expect(newOracle().reconstruct(damaged, dataShards, parityShards, available)).toBe(ReedSolomonErasure.RESULT_OK)
        for (let index = 0; index < dataShards; index++) {
          expect(damaged.subarray(index * shardBytes, (index + 1) * shardBytes).equals(shard(index))).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('touches nothing behind an output whose length is a multiple of 32', () => {
    const code = new ErasureCode(3, 3)
    const arena = new ErasureArena(6 * 64, kernel)
    arena.bytes.fill(7)
    const address = (index: number) => index * 64
    arena.multiply(code.parity, [0, 1, 2].map(address), [3, 5, 4].map(address), 32)
    for (let index = 0; index < 6; index++) expect(arena.bytes.subarray(index * 64 + 32, (index + 1) * 64).equals(Buffer.alloc(32, 7))).toBe(true)
  })
})

function shuffled(count: number, seed: number): number[] {
  const random = new SeededRandom(seed)
  const order = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = random.integer(last + 1)
    const [a, b] = [order[last] ?? 0, order[other] ?? 0]
    order[last] = b
    order[other] = a
  }
  return order
}

/**
 * Encodes and reconstructs stripes of 128 KiB blocks on one core: `node bench/micro/erasure.ts`. GB/s of data (10^9 bytes).
 */
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ReedSolomonErasure } from '@subspace/reed-solomon-erasure.wasm'
import { KiB } from '../../base/units.ts'
import { ErasureCode } from '../../engine/erasure/erasure-code.ts'
import { ErasureArena, type Kernel, scalarKernel, wasmKernel } from '../../engine/erasure/kernel.ts'

const blockBytes = 128 * KiB
const measureMs = 600

const oraclePath = createRequire(import.meta.url).resolve('@subspace/reed-solomon-erasure.wasm')
const oracle = ReedSolomonErasure.fromBytes(readFileSync(join(dirname(oraclePath), 'reed_solomon_erasure_bg.wasm')))

/** Data in GB per second of this process's CPU time. */
function rate(dataBytes: number, run: () => void): string {
  for (let warm = 0; warm < 20; warm++) run()
  const before = process.cpuUsage()
  const startedAt = performance.now()
  let runs = 0
  while (performance.now() - startedAt < measureMs) {
    run()
    runs++
  }
  const { user, system } = process.cpuUsage(before)
  return ((runs * dataBytes) / ((user + system) * 1000)).toFixed(2)
}

function measure(kernel: Kernel, dataShards: number, parityShards: number): readonly [encode: string, reconstruct: string] {
  const code = new ErasureCode(dataShards, parityShards)
  const total = dataShards + parityShards
  const arena = new ErasureArena(total * blockBytes, kernel)
  for (let at = 0; at < arena.bytes.length; at++) arena.bytes[at] = at * 31
  const addresses = Array.from({ length: total }, (_, index) => index * blockBytes)
  const encode = rate(dataShards * blockBytes, () => arena.multiply(code.parity, addresses.slice(0, dataShards), addresses.slice(dataShards), blockBytes))
  const lost = Array.from({ length: Math.min(parityShards, dataShards) }, (_, index) => index)
  const sources = addresses.map((_, index) => index).filter(index => !lost.includes(index)).slice(0, dataShards)
  const matrix = code.reconstruction(sources, lost)
  const reconstruct = rate(dataShards * blockBytes, () =>
    arena.multiply(matrix, sources.map(index => index * blockBytes), lost.map(index => index * blockBytes), blockBytes))
  return [encode, reconstruct]
}

function measureOracle(dataShards: number, parityShards: number): string {
  const shards = new Uint8Array((dataShards + parityShards) * blockBytes).fill(7)
  return rate(dataShards * blockBytes, () => void oracle.encode(shards, dataShards, parityShards))
}

console.log('code    kernel       encode  reconstruct (GB of data per CPU second)')
for (const [dataShards, parityShards] of [[2, 1], [2, 2], [3, 3], [4, 2], [6, 3], [12, 4]] as const) {
  const name = `${dataShards}+${parityShards}`.padEnd(7)
  for (const [kernelName, kernel] of [['wasm', wasmKernel], ['scalar', scalarKernel]] as const) {
    const [encode, reconstruct] = measure(kernel, dataShards, parityShards)
    console.log(`${name} ${kernelName.padEnd(10)} ${encode.padStart(8)} ${reconstruct.padStart(12)}`)
  }
  console.log(`${name} ${'@subspace'.padEnd(10)} ${measureOracle(dataShards, parityShards).padStart(8)}`)
}

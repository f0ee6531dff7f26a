import type { RunningChecksum } from './checksum.ts'
import { crc64nvmeWasmBase64 } from './crc64nvme-wasm.ts'
import { loadKernel, type KernelMemory } from './kernel.ts'

/** The kernel's buffer: small enough to stay in the second-level cache. */
const bufferBytes = 64 * 1024

interface Kernel extends KernelMemory {
  prepare(): number
  update(crc: bigint, length: number): bigint
}

const kernel = loadKernel<Kernel>(crc64nvmeWasmBase64)
const buffer = new Uint8Array(kernel.memory.buffer, kernel.prepare(), bufferBytes)

/** The CRC-64/NVME of what `crc` covers followed by `bytes`; start with 0. */
export function updateCrc64(crc: bigint, bytes: Uint8Array): bigint {
  let updated = crc
  for (let from = 0; from < bytes.length; from += bufferBytes) {
    const piece = bytes.length <= bufferBytes ? bytes : bytes.subarray(from, from + bufferBytes)
    buffer.set(piece)
    updated = kernel.update(updated, piece.length)
  }
  return BigInt.asUintN(64, updated)
}

/** CRC-64/NVME over a stream. */
export class Crc64Nvme implements RunningChecksum {
  #state = 0n

  update(bytes: Uint8Array): void {
    this.#state = updateCrc64(this.#state, bytes)
  }

  digest(): Buffer {
    const digest = Buffer.alloc(8)
    digest.writeBigUInt64BE(this.#state)
    return digest
  }
}

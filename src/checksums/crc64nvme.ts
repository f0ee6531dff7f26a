import type { RunningChecksum } from './checksum.ts'
import { updateCrc64 } from './crc64nvme-table.ts'

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

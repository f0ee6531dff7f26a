/** CRC-64/NVME, a byte at a time in plain TypeScript: what the kernel is held to. */

/** The polynomial, bits reversed. */
export const crc64Polynomial = 0x9a6c9329ac4bc9b5n

const table: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index)
  for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ crc64Polynomial : value >> 1n
  return value
})

/** The CRC of what `crc` covers followed by `bytes`; start with 0. */
export function updateCrc64(crc: bigint, bytes: Uint8Array): bigint {
  let state = ~crc & 0xffffffffffffffffn
  for (const byte of bytes) state = (table[Number(state & 255n) ^ byte] ?? 0n) ^ (state >> 8n)
  return ~state & 0xffffffffffffffffn
}

/** MurmurHash3, 32 bits, x86 variant, seed 0, as Iceberg's bucket transform uses it. A signed result. */
export function murmur3(bytes: Buffer): number {
  let hash = 0
  const blocks = bytes.length - (bytes.length % 4)
  for (let offset = 0; offset < blocks; offset += 4) {
    hash ^= mix(bytes.readInt32LE(offset))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let offset = bytes.length - 1; offset >= blocks; offset--) tail = (tail << 8) | (bytes[offset] ?? 0)
  if (blocks < bytes.length) hash ^= mix(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function mix(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

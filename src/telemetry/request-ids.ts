import type { Random } from '../../base/random.ts'

const idBytes = 8
const idsPerRefill = 512

/** Ids as AWS's: 16 upper-case hex digits, random. Randomness is drawn for many at once. */
export function createRequestIds(random: Random): () => string {
  let pool = ''
  let offset = 0
  return () => {
    if (offset === pool.length) {
      pool = Buffer.from(random.bytes(idBytes * idsPerRefill)).toString('hex').toUpperCase()
      offset = 0
    }
    const id = pool.slice(offset, offset + idBytes * 2)
    offset += idBytes * 2
    return id
  }
}

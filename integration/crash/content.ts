/** Bytes that need not be kept to be compared: made again from a seed. */
import { createCipheriv, createHash } from 'node:crypto'

export interface Content {
  readonly parts: readonly { readonly seed: number; readonly size: number }[]
  readonly etag: string
}

function bytesOfPart({ seed, size }: { seed: number; size: number }): Buffer {
  const key = createHash('md5').update(`content ${seed}`).digest()
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

export function bytesOf(content: Content): Buffer {
  return Buffer.concat(content.parts.map(bytesOfPart))
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()

export function contentOf(seed: number, size: number): Content {
  const part = { seed, size }
  return { parts: [part], etag: `"${md5(bytesOfPart(part)).toString('hex')}"` }
}

/** What completing a multipart upload of these contents makes. */
export function joined(contents: readonly Content[]): Content {
  const parts = contents.flatMap(content => content.parts)
  const digests = Buffer.concat(parts.map(part => md5(bytesOfPart(part))))
  return { parts, etag: `"${md5(digests).toString('hex')}-${parts.length}"` }
}

/** Uniform numbers from a seed (mulberry32), so that a failing run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

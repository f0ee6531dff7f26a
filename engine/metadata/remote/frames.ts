import { assert } from '../../../base/assert.ts'
import { MiB } from '../../../base/units.ts'

/**
 * What a client and the committer say to each other: frames of a length (4 bytes, big endian; of what
 * follows), a kind (1 byte) and a body.
 *
 *     to the committer   1 commit: requestId (12), checksBytes (4), checks, operations
 *                        2 what became of: requestId (12), the newest version known when it was sent (8)
 *     to the client      1 answer: count (4, the end of the requestId), status (1), version (8), message
 *                        2 fate: count (4), fate (1), version (8)
 *                        3 hello: the newest version (8)
 */
export const frameKinds = { commit: 1, ask: 2, answer: 1, fate: 2, hello: 3 } as const

export const frameHeaderBytes = 5
/** A commit may hold several of the largest values. */
const maxFrameBytes = 1024 * MiB

/** Takes a stream of bytes apart. A frame shares its bytes with the chunk it came in. */
export class FrameReader {
  #parts: Buffer[] = []
  #bytes = 0
  #needed = 4

  /** The frames that are whole by now, without their length: kind and body. */
  read(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#needed) return []
    const received = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#bytes)
    const frames: Buffer[] = []
    let at = 0
    this.#needed = 4
    while (received.length - at >= 4) {
      const length = received.readUInt32BE(at)
      assert(length > 0 && length <= maxFrameBytes, 'a frame has a bounded length')
      if (received.length - at < 4 + length) {
        this.#needed = 4 + length
        break
      }
      frames.push(received.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    this.#parts = at === received.length ? [] : [received.subarray(at)]
    this.#bytes = received.length - at
    return frames
  }
}

export function writeFrameHeader(target: Buffer, offset: number, bodyBytes: number, kind: number): number {
  const at = target.writeUInt32BE(1 + bodyBytes, offset)
  return target.writeUInt8(kind, at)
}

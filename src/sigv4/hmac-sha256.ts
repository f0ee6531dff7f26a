import { hash } from 'node:crypto'
import { assert } from '../../base/assert.ts'

const blockBytes = 64
const digestBytes = 32
/** A UTF-16 unit takes at most so many. */
const utf8Bytes = 3

/**
 * HMAC-SHA256 (RFC 2104) by one key of many short texts (their UTF-8), in hex. `createHmac` makes an object of the
 * runtime's for each text, which costs more than the hashing; here the key's two pads are made once.
 * The key has at most 64 bytes.
 */
export function hmacSha256(key: Uint8Array): (text: string) => string {
  assert(key.byteLength <= blockBytes, 'a longer key would have to be hashed first')
  let inner = padded(key, 0x36, 1024)
  const outer = padded(key, 0x5c, digestBytes)
  let message = inner
  return (text) => {
    if (inner.length < blockBytes + utf8Bytes * text.length) message = inner = padded(key, 0x36, utf8Bytes * text.length)
    const bytes = blockBytes + inner.write(text, blockBytes)
    // Texts of one key are mostly of one length.
    if (message.length !== bytes) message = inner.subarray(0, bytes)
    outer.write(hash('sha256', message, 'latin1'), blockBytes, 'latin1')
    return hash('sha256', outer, 'hex')
  }
}

/** The key, combined with the pad's byte, and room behind it. Memory of its own: it stays. */
function padded(key: Uint8Array, pad: number, roomBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes + roomBytes, pad)
  for (const [at, byte] of key.entries()) block[at] = pad ^ byte
  return block
}

import { xxh3 } from '@node-rs/xxhash'
import type { RunningChecksum } from './checksum.ts'
import { loadKernel, type KernelMemory } from './kernel.ts'
import { xxh128WasmBase64 } from './xxh128-wasm.ts'

/** XXH3's own secret, `XXH3_kSecret` of the specification. */
const secret =
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
  'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
  '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
  'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
  'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
  '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e'

interface Kernel extends KernelMemory {
  begin(): void
  accumulate(count: number, done: number): number
  finish(length: bigint, last: number): void
}

const kernel = loadKernel<Kernel>(xxh128WasmBase64)
const stripeBytes = 64
const pieceBytes = 64 * 1024
const accumulators = new Uint8Array(kernel.memory.buffer, 192, 64)
const digestWords = new DataView(kernel.memory.buffer, 256, 16)
/** A stripe that is done already, at most one that is not, and new bytes. */
const buffer = new Uint8Array(kernel.memory.buffer, 512, 2 * stripeBytes + pieceBytes)
new Uint8Array(kernel.memory.buffer, 0, 192).set(Buffer.from(secret, 'hex'))
kernel.begin()
const emptyAccumulators = accumulators.slice()

/** Inputs up to this long are hashed in another way: the native library does them in one piece. */
const shortBytes = 240

/** XXH3's 128-bit hash over a stream: `@node-rs/xxhash` has it in one piece only. */
export class Xxh128 implements RunningChecksum {
  readonly #accumulators = emptyAccumulators.slice()
  readonly #head = Buffer.alloc(shortBytes)
  /** The last stripe that is done, then `#waiting` bytes that are not: one at least, so that the last stripe is at hand. */
  readonly #tail = new Uint8Array(2 * stripeBytes)
  #waiting = 0
  #inBlock = 0
  #bytes = 0

  update(bytes: Uint8Array): void {
    if (this.#bytes < shortBytes) this.#head.set(bytes.subarray(0, shortBytes - this.#bytes), this.#bytes)
    this.#bytes += bytes.length
    accumulators.set(this.#accumulators)
    for (let from = 0; from < bytes.length; from += pieceBytes) this.#accumulate(bytes.subarray(from, from + pieceBytes))
    this.#accumulators.set(accumulators)
  }

  #accumulate(piece: Uint8Array): void {
    const known = stripeBytes + this.#waiting
    buffer.set(this.#tail.subarray(0, known))
    buffer.set(piece, known)
    const fresh = this.#waiting + piece.length
    const stripes = Math.floor((fresh - 1) / stripeBytes)
    this.#inBlock = kernel.accumulate(stripes, this.#inBlock)
    this.#waiting = fresh - stripes * stripeBytes
    this.#tail.set(buffer.subarray(stripes * stripeBytes, stripes * stripeBytes + stripeBytes + this.#waiting))
  }

  digest(): Buffer {
    const digest = Buffer.alloc(16)
    if (this.#bytes <= shortBytes) {
      const value = xxh3.xxh128(this.#head.subarray(0, this.#bytes))
      digest.writeBigUInt64BE(value >> 64n)
      digest.writeBigUInt64BE(value & 0xffffffffffffffffn, 8)
      return digest
    }
    accumulators.set(this.#accumulators)
    buffer.set(this.#tail)
    kernel.finish(BigInt(this.#bytes), this.#waiting)
    digest.writeBigUInt64BE(digestWords.getBigUint64(8, true))
    digest.writeBigUInt64BE(digestWords.getBigUint64(0, true), 8)
    return digest
  }
}

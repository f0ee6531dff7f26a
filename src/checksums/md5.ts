import { createHash, type Hash } from 'node:crypto'
import { assert, must } from '../../base/assert.ts'
import type { RunningChecksum } from './checksum.ts'
import { loadKernel, type KernelMemory } from './kernel.ts'
import { md5WasmBase64 } from './md5-wasm.ts'

interface Kernel extends KernelMemory {
  four(w: number, x: number, y: number, z: number, blocks: number): void
  one(from: number, blocks: number): void
}

const blockBytes = 64
/** What waits of one stream to be hashed: a ring of whole blocks. */
const ringBytes = 256 * 1024
/** Streams beyond these are hashed by OpenSSL, each by itself. */
const ringCount = 64
const ringsAt = 64 * 1024
/** Where the kernel's own part of the memory has ended: the last blocks of a stream are padded here. */
const paddingAt = 1024
const lengthAt = 56
/** With less waiting, a stream is not worth the company of others. */
const leastSharedBytes = 16 * 1024
const initialState = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const

const kernel = loadKernel<Kernel>(md5WasmBase64)
const memory = Buffer.from(kernel.memory.buffer)
/** Word by word, each of four streams. */
const lanes = new Uint32Array(kernel.memory.buffer, 0, 16)

/** Of each ring: where what waits begins, how much it is, and the stream's state before it. Nothing here holds a stream. */
const heads = new Uint32Array(ringCount)
const waiting = new Uint32Array(ringCount)
const states = new Uint32Array(4 * ringCount)
const idle = Array.from({ length: ringCount }, (_, index) => ringCount - 1 - index)

/** Streams that end without a digest: their uploads were cut off. */
const abandoned = new FinalizationRegistry<number>(ring => giveBack(ring))

function giveBack(ring: number): void {
  waiting[ring] = 0
  idle.push(ring)
}

/** Bytes that wait in one piece. */
function readyBytes(ring: number): number {
  return Math.min(waiting[ring] ?? 0, ringBytes - (heads[ring] ?? 0)) & -blockBytes
}

/** Those that have most to offer, of the others. */
function companionsOf(ring: number): number[] {
  const found: number[] = []
  for (let other = 0; other < ringCount; other++) {
    if ((waiting[other] ?? 0) < leastSharedBytes || other === ring || readyBytes(other) < leastSharedBytes) continue
    found.push(other)
  }
  return found.length <= 3 ? found : found.toSorted((a, b) => readyBytes(b) - readyBytes(a)).slice(0, 3)
}

/** Hashes some of what waits in the ring, and as much of up to three others, which costs no more. */
function advance(ring: number): void {
  const isAccompanied = idle.length < ringCount - 1
  const company = [ring, ...companionsOf(ring)]
  // The others are given time to catch up, so that more of them go along the next time.
  const most = company.length < 4 && isAccompanied ? leastSharedBytes : ringBytes
  const bytes = Math.min(most, ...company.map(readyBytes))
  for (const [lane, member] of company.entries()) for (let word = 0; word < 4; word++) lanes[4 * word + lane] = states[4 * member + word] ?? 0
  const addresses = company.map(member => ringsAt + member * ringBytes + (heads[member] ?? 0))
  const [w = 0, x = w, y = w, z = w] = addresses
  if (company.length === 1) kernel.one(w, bytes / blockBytes)
  else kernel.four(w, x, y, z, bytes / blockBytes)
  for (const [lane, member] of company.entries()) {
    for (let word = 0; word < 4; word++) states[4 * member + word] = lanes[4 * word + lane] ?? 0
    heads[member] = ((heads[member] ?? 0) + bytes) % ringBytes
    waiting[member] = (waiting[member] ?? 0) - bytes
  }
}

/**
 * MD5 over a stream. Streams of a process that are hashed at the same time are hashed together, four for the price of one
 * and a half: a stream's bytes wait in a buffer until it is full or the digest is asked for.
 */
export class Md5 implements RunningChecksum {
  #ring: number | undefined
  #alone: Hash | undefined
  #sizeBytes = 0

  update(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length
    const ring = this.#ring ?? this.#begin()
    if (ring === undefined) {
      this.#alone?.update(bytes)
      return
    }
    for (let taken = 0; taken < bytes.length; ) {
      const held = waiting[ring] ?? 0
      if (held === ringBytes) {
        advance(ring)
        continue
      }
      const tail = ((heads[ring] ?? 0) + held) % ringBytes
      const count = Math.min(bytes.length - taken, ringBytes - held, ringBytes - tail)
      memory.set(count === bytes.length ? bytes : bytes.subarray(taken, taken + count), ringsAt + ring * ringBytes + tail)
      waiting[ring] = held + count
      taken += count
    }
  }

  /** Ends the stream. */
  digest(): Buffer {
    const ring = this.#ring ?? this.#begin()
    if (ring === undefined) return must(this.#alone, 'a hash of its own').digest()
    while ((waiting[ring] ?? 0) >= blockBytes) advance(ring)
    const rest = waiting[ring] ?? 0
    const head = ringsAt + ring * ringBytes + (heads[ring] ?? 0)
    const blocks = rest < lengthAt ? 1 : 2
    const end = paddingAt + blocks * blockBytes
    memory.fill(0, paddingAt, end)
    memory.copyWithin(paddingAt, head, head + rest)
    memory[paddingAt + rest] = 0x80
    memory.writeBigUInt64LE(BigInt(this.#sizeBytes) * 8n, end - 8)
    for (let word = 0; word < 4; word++) lanes[4 * word] = states[4 * ring + word] ?? 0
    kernel.one(paddingAt, blocks)
    const digest = Buffer.alloc(16)
    for (let word = 0; word < 4; word++) digest.writeUInt32LE(lanes[4 * word] ?? 0, 4 * word)
    abandoned.unregister(this)
    giveBack(ring)
    this.#ring = undefined
    return digest
  }

  #begin(): number | undefined {
    if (this.#alone !== undefined) return undefined
    const ring = idle.pop()
    if (ring === undefined) {
      this.#alone = createHash('md5')
      return undefined
    }
    assert(waiting[ring] === 0, 'an idle ring is empty')
    heads[ring] = 0
    states.set(initialState, 4 * ring)
    abandoned.register(this, ring, this)
    this.#ring = ring
    return ring
  }
}

import { MiB } from '../../base/units.ts'

/** The part of the WebAssembly API used here: TypeScript has it only in its library for browsers. */
declare const WebAssembly: { readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer } }

/** What positions, lengths and addresses of uncached writes are multiples of: no drive has larger sectors. */
export const pageBytes = 4096

/** Address space is reserved in gigabytes for each WebAssembly memory, so buffers share them. */
const arenaBytes = 8 * MiB
const wasmPageBytes = 65536

const arenas = new WeakSet<ArrayBufferLike>()
let arena: ArrayBuffer | undefined
let arenaUsedBytes = 0

/**
 * A buffer whose bytes begin at a page's beginning: a drive takes whole pages of it past the page
 * cache, without a copy. JavaScript allocates nothing aligned but a WebAssembly memory.
 */
export function pageBuffer(sizeBytes: number): Buffer {
  const reservedBytes = Math.ceil(sizeBytes / pageBytes) * pageBytes
  if (arena === undefined || arenaUsedBytes + reservedBytes > arena.byteLength) {
    arena = new WebAssembly.Memory({ initial: Math.ceil(Math.max(arenaBytes, reservedBytes) / wasmPageBytes) }).buffer
    arenas.add(arena)
    arenaUsedBytes = 0
  }
  const buffer = Buffer.from(arena, arenaUsedBytes, sizeBytes)
  arenaUsedBytes += reservedBytes
  return buffer
}

/** Says of a WebAssembly memory that its pages can be written past the page cache. */
export function holdsPages(memory: ArrayBuffer): void {
  arenas.add(memory)
}

/** Whether the bytes begin at the beginning of a page. */
export function beginsPage(bytes: Uint8Array): boolean {
  return bytes.byteOffset % pageBytes === 0 && arenas.has(bytes.buffer)
}

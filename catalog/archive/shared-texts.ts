import type { CatalogStore, SharedBytes } from '../catalog-store.ts'

/** Where a file has shared bytes. */
export interface SharedPlace extends SharedBytes {
  readonly fileOffset: number
}

/** A range of one sequence, in chunks that follow each other. */
interface Sequence {
  readonly chunks: Buffer[]
  start: number
  end: number
}

/**
 * Shared bytes that a worker has read, by sequence: what never changes is read once, and of a sequence
 * that has grown only what is new. Bounded in bytes; the least recently used sequences go first.
 */
export class SharedTexts {
  readonly #sequences = new Map<string, Sequence>()
  readonly #maxBytes: number
  #sizeBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The bytes at `place`, which the file at `location` has, in pieces. All of them are in memory: the caller bounds the size. */
  async read(store: Pick<CatalogStore, 'readRange'>, location: string, place: SharedPlace): Promise<readonly Buffer[]> {
    const { sharedId, offset, sizeBytes, fileOffset } = place
    const end = offset + sizeBytes
    const known = this.#sequences.get(sharedId)
    if (known === undefined || offset < known.start || offset > known.end) {
      const chunks = await readChunks(store, location, fileOffset, sizeBytes)
      this.#keep(sharedId, { chunks: [...chunks], start: offset, end })
      return chunks
    }
    if (end > known.end) {
      const from = known.end
      const added = await readChunks(store, location, fileOffset + from - offset, end - from)
      // Of two that read the same at once, the second leaves it be.
      if (known.end === from) {
        known.chunks.push(...added)
        known.end = end
        if (this.#sequences.get(sharedId) === known) this.#sizeBytes += end - from
      }
    }
    dropBefore(known, offset, (bytes) => {
      if (this.#sequences.get(sharedId) === known) this.#sizeBytes -= bytes
    })
    this.#keep(sharedId, known)
    return slices(known, offset, end)
  }

  #keep(sharedId: string, sequence: Sequence): void {
    const before = this.#sequences.get(sharedId)
    if (before !== sequence) this.#sizeBytes += sequence.end - sequence.start - (before === undefined ? 0 : before.end - before.start)
    this.#sequences.delete(sharedId)
    this.#sequences.set(sharedId, sequence)
    for (const [oldest, { start, end }] of this.#sequences) {
      if (this.#sizeBytes <= this.#maxBytes) return
      this.#sequences.delete(oldest)
      this.#sizeBytes -= end - start
    }
  }
}

async function readChunks(store: Pick<CatalogStore, 'readRange'>, location: string, offset: number, length: number): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of store.readRange(location, { offset, length })) chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  return chunks
}

/** Chunks that expired lists no longer reach. */
function dropBefore(sequence: Sequence, offset: number, onDropped: (bytes: number) => void): void {
  for (let first = sequence.chunks[0]; first !== undefined && sequence.start + first.length <= offset; first = sequence.chunks[0]) {
    sequence.chunks.shift()
    sequence.start += first.length
    onDropped(first.length)
  }
}

function slices({ chunks, start }: Sequence, from: number, to: number): Buffer[] {
  const found: Buffer[] = []
  let at = start
  for (const chunk of chunks) {
    if (at + chunk.length > from && at < to) {
      const whole = at >= from && at + chunk.length <= to
      found.push(whole ? chunk : chunk.subarray(Math.max(0, from - at), to - at))
    }
    at += chunk.length
  }
  return found
}

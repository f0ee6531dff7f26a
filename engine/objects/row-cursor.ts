import type { KeyRange, MetadataReader, Row } from '../metadata/metadata-store.ts'

const firstChunk = 16
/** A page of 1,000 and the row that tells whether there is more. */
const maxChunk = 1001

/**
 * The rows of a range in order, read ahead in chunks. Chunks grow while rows are used one after the
 * other and start small again after a jump, so that a listing that skips from common prefix to
 * common prefix reads a few rows for each, and a plain listing reads about what it returns.
 */
export class RowCursor {
  readonly #reader: MetadataReader
  readonly #end: Uint8Array
  #start: Uint8Array
  #rows: readonly Row[] = []
  #at = 0
  #chunk: number
  #exhausted = false

  /** `expected`: how many rows the caller will use, when it will not jump. */
  constructor(reader: MetadataReader, { start, end }: KeyRange, expected = firstChunk) {
    this.#reader = reader
    this.#start = start
    this.#end = end
    this.#chunk = Math.min(expected, maxChunk)
  }

  /** The row at the cursor when it has been read ahead; else `fetch` tells. */
  get current(): Row | undefined {
    return this.#rows[this.#at]
  }

  /** The row at the cursor; undefined at the end of the range. */
  async fetch(): Promise<Row | undefined> {
    if (this.#at < this.#rows.length) return this.#rows[this.#at]
    if (this.#exhausted || Buffer.compare(this.#start, this.#end) >= 0) return undefined
    this.#rows = await this.#reader.list({ start: this.#start, end: this.#end, limit: this.#chunk })
    this.#at = 0
    this.#exhausted = this.#rows.length < this.#chunk
    const last = this.#rows[this.#rows.length - 1]
    if (last !== undefined) this.#start = Buffer.concat([last.key, Buffer.of(0)])
    this.#chunk = Math.min(this.#chunk * 2, maxChunk)
    return this.#rows[0]
  }

  next(): void {
    this.#at++
  }

  /** Jumps forward to the first row at or after `start`. */
  seek(start: Uint8Array): void {
    const last = this.#rows[this.#rows.length - 1]
    if (last !== undefined && Buffer.compare(last.key, start) >= 0) {
      this.#at = firstAtOrAfter(this.#rows, start, this.#at)
      return
    }
    this.#at = this.#rows.length
    if (Buffer.compare(start, this.#start) <= 0) return
    this.#start = start
    this.#chunk = firstChunk
  }
}

function firstAtOrAfter(rows: readonly Row[], start: Uint8Array, from: number): number {
  let low = from
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle]
    if (row !== undefined && Buffer.compare(row.key, start) < 0) low = middle + 1
    else high = middle
  }
  return low
}

import { bufferOf, checkKey, seekableRange } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'
import type { ClosableReader, Entry, ListRange, Row } from '../metadata-store.ts'
import { decodeRow } from '../row-format.ts'
import { openForReading } from './lmdb-environment.ts'
import type { Environment } from './lmdb-environment.ts'

/**
 * Reads an LMDB index that another process, or another part of this one, writes.
 *
 * lmdb-js keeps its read transaction until the event turn ends; each read here begins a new one, so
 * that it sees every commit that was visible before it, whoever made it.
 */
export class LmdbReader implements ClosableReader {
  readonly #environment: Environment
  #closed = false

  constructor(directory: string, mapBytes?: number) {
    this.#environment = openForReading(directory, mapBytes)
  }

  async get(key: Uint8Array): Promise<Entry | undefined> {
    this.#requireOpen()
    checkKey(key)
    const wanted = bufferOf(key)
    const stored = readIn(() => {
      this.#environment.resetReadTxn()
      return this.#environment.get(wanted)
    })
    if (stored === undefined) return undefined
    const { value, version } = decodeRow(wanted, stored, stored.length)
    return { value, version }
  }

  async list({ start, end, limit, reverse = false }: ListRange): Promise<Row[]> {
    this.#requireOpen()
    const range = seekableRange({ start, end })
    if (range === undefined || limit <= 0) return []
    const bounds = reverse
      ? { start: range.end, exclusiveStart: true, end: range.start, inclusiveEnd: true, reverse }
      : { start: range.start, end: range.end }
    return readIn(() => {
      this.#environment.resetReadTxn()
      const rows: Row[] = []
      for (const { key, value } of this.#environment.getRange({ ...bounds, limit })) rows.push(decodeRow(key, value, value.length))
      return rows
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#environment.close()
  }

  #requireOpen(): void {
    if (this.#closed) throw new MetadataError('Closed', 'the metadata store has been closed')
  }
}

/** What LMDB itself finds wrong has a number for a code: a page that is not where the tree says, or is of another kind. */
function readIn<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && typeof cause.code === 'number') throw new MetadataError('Corrupt', `the index cannot be read: ${cause.message}`, { cause })
    throw cause
  }
}

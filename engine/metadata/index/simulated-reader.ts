import { bufferOf, checkKey, seekableRange } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'
import type { ClosableReader, Entry, ListRange, Row } from '../metadata-store.ts'
import { rowsOf, type SimulatedIndexSource } from './simulated-index.ts'

/** Reads a simulated index as `LmdbReader` reads LMDB's: what is visible at the time of the call. */
export class SimulatedReader implements ClosableReader {
  readonly #source: SimulatedIndexSource
  readonly #isAlive: () => boolean
  #closed = false

  /** `isAlive`: the process that reads has not been killed. */
  constructor(source: SimulatedIndexSource, isAlive: () => boolean) {
    this.#source = source
    this.#isAlive = isAlive
  }

  async get(key: Uint8Array): Promise<Entry | undefined> {
    this.#requireOpen()
    checkKey(key)
    const row = rowsOf(this.#source.visible).get(bufferOf(key).toString('latin1'))
    return row === undefined ? undefined : { value: Buffer.from(row.value, 'latin1'), version: row.version }
  }

  async list({ start, end, limit, reverse = false }: ListRange): Promise<Row[]> {
    this.#requireOpen()
    const range = seekableRange({ start, end })
    if (range === undefined || limit <= 0) return []
    const [first, last] = [range.start.toString('latin1'), range.end.toString('latin1')]
    const rows = [...rowsOf(this.#source.visible)].filter(([key]) => key >= first && key < last).sort(([a], [b]) => (a < b ? -1 : 1))
    if (reverse) rows.reverse()
    return rows.slice(0, limit).map(([key, { value, version }]) => ({ key: Buffer.from(key, 'latin1'), value: Buffer.from(value, 'latin1'), version }))
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #requireOpen(): void {
    if (this.#closed || !this.#isAlive()) throw new MetadataError('Closed', 'the metadata store has been closed')
  }
}

import { must } from '../../../base/assert.ts'
import { bufferOf, checkKey, seekableRange } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'
import type { ClosableReader, Entry, ListRange, Row, TableWalk } from '../metadata-store.ts'
import { TableProof } from '../row-digests.ts'
import { decodeRow } from '../row-format.ts'
import { rowsOf, type SimulatedIndexSource } from './simulated-index.ts'

/** Reads a simulated index as `LmdbReader` reads LMDB's: what is visible at the time of the call. */
export class SimulatedReader implements ClosableReader {
  readonly #source: SimulatedIndexSource
  readonly #isAlive: () => boolean
  readonly #trusts: boolean
  #closed = false

  /** `isAlive`: the process that reads has not been killed. `trusts`, for the mutation check only: takes what it meets for all. */
  constructor(source: SimulatedIndexSource, isAlive: () => boolean, trusts = false) {
    this.#trusts = trusts
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

  async walk({ table, onRows }: TableWalk): Promise<void> {
    this.#requireOpen()
    const state = this.#source.visible
    const keys = [...state.rows.keys()].filter((key) => key.charCodeAt(0) === table).sort()
    const proof = new TableProof(table)
    const rows = keys.map((key) => {
      const stored = must(state.rows.get(key), 'the row is there')
      const row = decodeRow(Buffer.from(key, 'latin1'), stored, stored.length)
      proof.meet(row.key, stored, stored.length)
      return row
    })
    if (rows.length > 0) await onRows(rows)
    this.#requireOpen()
    if (!this.#trusts) proof.requireAll(state.digests)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #requireOpen(): void {
    if (this.#closed || !this.#isAlive()) throw new MetadataError('Closed', 'the metadata store has been closed')
  }
}

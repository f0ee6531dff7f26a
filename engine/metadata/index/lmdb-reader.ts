import type { Transaction } from 'lmdb'
import { KiB } from '../../../base/units.ts'
import { bufferOf, checkKey, seekableRange } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'
import type { ClosableReader, Entry, ListRange, Row, TableWalk } from '../metadata-store.ts'
import { TableProof } from '../row-digests.ts'
import { decodeRow } from '../row-format.ts'
import { openForReading } from './lmdb-environment.ts'
import type { Environment } from './lmdb-environment.ts'
import { storedState } from './lmdb-index.ts'

/** So much of a walk is one turn of the event loop. */
const pageRows = 256
const pageBytes = 256 * KiB

/**
 * Reads an LMDB index that another process, or another part of this one, writes.
 *
 * lmdb-js keeps its read transaction until the event turn ends; each read here begins a new one, so
 * that it sees every commit that was visible before it, whoever made it.
 */
export class LmdbReader implements ClosableReader {
  readonly #environment: Environment
  #closed = false
  readonly #walks = new Set<Promise<void>>()

  /** Throws `Corrupt` where no committer has begun an index: in the place of a drive that was pulled nothing is made, nor read as empty. */
  constructor(directory: string, mapBytes?: number) {
    this.#environment = openForReading(directory, mapBytes)
    if (!isEmpty(this.#environment)) return
    void this.#environment.close()
    throw new MetadataError('Corrupt', `${directory} holds an index that was never begun`)
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

  walk(walk: TableWalk): Promise<void> {
    this.#requireOpen()
    const walked = this.#walk(walk).finally(() => this.#walks.delete(walked))
    this.#walks.add(walked)
    return walked
  }

  async #walk({ table, onRows }: TableWalk): Promise<void> {
    const proof = new TableProof(table)
    this.#environment.resetReadTxn()
    const transaction = this.#environment.useReadTransaction()
    try {
      const { digests } = readIn(() => storedState(this.#environment, transaction))
      if (digests === undefined) throw new MetadataError('Closed', 'the index is of before digests were kept, and nobody has written it since')
      let start: Buffer = Buffer.of(table)
      for (;;) {
        const rows = readIn(() => this.#page({ start, end: Buffer.of(table + 1), transaction }, proof))
        const last = rows[rows.length - 1]
        if (last === undefined) break
        await onRows(rows)
        // Others of this process have their turn.
        await new Promise((resolve) => setImmediate(resolve))
        this.#requireOpen()
        start = Buffer.concat([last.key, Buffer.of(0)])
      }
      proof.requireAll(digests)
    } finally {
      transaction.done()
    }
  }

  #page(range: { readonly start: Buffer; readonly end: Buffer; readonly transaction: Transaction }, proof: TableProof): Row[] {
    const rows: Row[] = []
    let bytes = 0
    for (const { key, value } of this.#environment.getRange({ ...range, limit: pageRows })) {
      const row = decodeRow(key, value, value.length)
      proof.meet(row.key, value, value.length)
      rows.push(row)
      bytes += value.length
      if (bytes > pageBytes) break
    }
    return rows
  }

  /** Once no walk reads any more. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#walks)
    await this.#environment.close()
  }

  #requireOpen(): void {
    if (this.#closed) throw new MetadataError('Closed', 'the metadata store has been closed')
  }
}

/** Damage that shows here is told by the reads that meet it. */
function isEmpty(environment: Environment): boolean {
  try {
    return [...environment.getKeys({ limit: 1 })].length === 0
  } catch {
    return false
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

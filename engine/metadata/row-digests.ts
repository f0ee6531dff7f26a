import { assert } from '../../base/assert.ts'
import { MetadataError } from './metadata-store.ts'
import { checksumBytes } from './row-format.ts'

/**
 * How many rows there are and what they are, by the first byte of their keys (a table): a count, and the checksums of all
 * rows, XORed. Every commit keeps them up, in its own transaction, so that a walk over a copy proves whether it is whole:
 * what a damaged page hides, or brings back, is in the one and not in the other. See docs/adr/0006-tables-prove-themselves.md.
 */
export class RowDigests {
  readonly #counts = new Float64Array(tables)
  /** Two words for each table, as the checksums are stored. */
  readonly #words = new Uint32Array(2 * tables)

  constructor(from?: RowDigests) {
    if (from !== undefined) this.assign(from)
  }

  assign(from: RowDigests): void {
    this.#counts.set(from.#counts)
    this.#words.set(from.#words)
  }

  /** A row as it is stored: `storedBytes` long, whatever its buffer's length is. */
  add(table: number, stored: Buffer, storedBytes: number): void {
    this.#change(table, 1, checksumLow(stored, storedBytes), checksumHigh(stored, storedBytes))
  }

  remove(table: number, stored: Buffer, storedBytes: number): void {
    this.#change(table, -1, checksumLow(stored, storedBytes), checksumHigh(stored, storedBytes))
  }

  /** A row that is there no more, by the words of its checksum. */
  removeWords(table: number, low: number, high: number): void {
    this.#change(table, -1, low, high)
  }

  isEqual(table: number, other: RowDigests): boolean {
    return this.#counts[table] === other.#counts[table] && this.#words[2 * table] === other.#words[2 * table] && this.#words[2 * table + 1] === other.#words[2 * table + 1]
  }

  count(table: number): number {
    return this.#counts[table] ?? 0
  }

  /** Tables with rows, ascending. */
  get tables(): number[] {
    const kept: number[] = []
    for (let table = 0; table < tables; table++) if (this.#isKept(table)) kept.push(table)
    return kept
  }

  /** Of each table that is not empty: its byte, the count (8 bytes, a double), the checksums (8 bytes). All big endian. */
  encode(): Buffer {
    const kept = this.tables
    const bytes = Buffer.allocUnsafe(kept.length * entryBytes)
    let at = 0
    for (const table of kept) {
      at = bytes.writeUInt8(table, at)
      at = bytes.writeDoubleBE(this.#counts[table] ?? 0, at)
      at = bytes.writeUInt32BE(this.#words[2 * table] ?? 0, at)
      at = bytes.writeUInt32BE(this.#words[2 * table + 1] ?? 0, at)
    }
    return bytes
  }

  static decode(bytes: Buffer): RowDigests {
    assert(bytes.length % entryBytes === 0, 'digests have whole entries')
    const digests = new RowDigests()
    for (let at = 0; at < bytes.length; at += entryBytes) {
      const table = bytes.readUInt8(at)
      digests.#counts[table] = bytes.readDoubleBE(at + 1)
      digests.#words[2 * table] = bytes.readUInt32BE(at + 9)
      digests.#words[2 * table + 1] = bytes.readUInt32BE(at + 13)
    }
    return digests
  }

  #isKept(table: number): boolean {
    return this.#counts[table] !== 0 || this.#words[2 * table] !== 0 || this.#words[2 * table + 1] !== 0
  }

  #change(table: number, rows: number, low: number, high: number): void {
    this.#counts[table] = (this.#counts[table] ?? 0) + rows
    this.#words[2 * table] = (this.#words[2 * table] ?? 0) ^ low
    this.#words[2 * table + 1] = (this.#words[2 * table + 1] ?? 0) ^ high
  }
}

const tables = 256
const entryBytes = 17

/** The two halves of a stored row's checksum. */
export function checksumLow(stored: Buffer, storedBytes: number): number {
  return stored.readUInt32LE(storedBytes - checksumBytes)
}

export function checksumHigh(stored: Buffer, storedBytes: number): number {
  return stored.readUInt32LE(storedBytes - checksumBytes / 2)
}

/** Adds up what a walk over one table meets. */
export class TableProof {
  readonly #table: number
  readonly #met = new RowDigests()
  #last: Buffer | undefined

  constructor(table: number) {
    assert(table >= 0 && table < tables - 1, 'a table is the first byte of a key')
    this.#table = table
  }

  /** The next row, verified by itself. Throws `Corrupt` unless it comes after the ones before. */
  meet(key: Buffer, stored: Buffer, storedBytes: number): void {
    if (key[0] !== this.#table || (this.#last !== undefined && Buffer.compare(this.#last, key) >= 0)) {
      throw new MetadataError('Corrupt', `the row at key ${key.toString('hex')} is out of order`)
    }
    this.#last = key
    this.#met.add(this.#table, stored, storedBytes)
  }

  /** Throws `Corrupt` unless these were all rows that were ever put and not deleted. */
  requireAll(kept: RowDigests): void {
    if (this.#met.isEqual(this.#table, kept)) return
    const [met, counted] = [this.#met.count(this.#table), kept.count(this.#table)]
    throw new MetadataError('Corrupt', `table ${String.fromCharCode(this.#table)} has ${met} rows that are not the ${counted} that were put`)
  }
}

import { EngineError } from '../engine.ts'

/**
 * How one type of record is kept in a row: a format-version byte, then JSON. The JSON is a tuple
 * where the record is listed in bulk (parsing a tuple costs half of parsing an object).
 *
 * A changed format gets the next version and its own `decode`; the older ones stay, each a pure
 * migration to the record of today, with a golden row in `records.test.ts`.
 */
export interface RecordFormat<T> {
  encode(record: T): Buffer
  /** `Corrupt` when the row cannot be read, or a newer Moraine wrote it. */
  decode(row: Buffer): T
}

export interface RecordDefinition<T> {
  readonly name: string
  /** The version that `encode` writes. */
  readonly version: number
  readonly encode: (record: T) => unknown
  /** By version: what `JSON.parse` made of the row to the record of today. */
  readonly decode: Readonly<Record<number, (stored: never) => T>>
  /** For rows that are read again and again: so many records are kept by their row's bytes. They are immutable. */
  readonly remembered?: number
}

export function recordFormat<T>(definition: RecordDefinition<T>): RecordFormat<T> {
  const { version, encode, remembered } = definition
  const prefix = String.fromCharCode(version)
  return {
    encode: (record) => Buffer.from(prefix + JSON.stringify(encode(record)), 'utf8'),
    decode: remembered === undefined ? decoderOf(definition) : rememberingDecoder(decoderOf(definition), remembered),
  }
}

function decoderOf<T>({ name, decode }: RecordDefinition<T>): RecordFormat<T>['decode'] {
  return (row) => {
    const read = decode[row[0] ?? 0]
    if (read === undefined) throw new EngineError('Corrupt', `a ${name} row has the unknown format ${row[0]}`)
    try {
      return read(JSON.parse(row.toString('utf8', 1)) as never)
    } catch (error) {
      throw new EngineError('Corrupt', `a ${name} row cannot be read`, {}, { cause: error })
    }
  }
}

function rememberingDecoder<T>(decode: RecordFormat<T>['decode'], limit: number): RecordFormat<T>['decode'] {
  const records = new Map<string, T>()
  return (row) => {
    const bytes = row.toString('latin1')
    const known = records.get(bytes)
    if (known !== undefined) return known
    const record = decode(row)
    if (records.size >= limit) records.clear()
    records.set(bytes, record)
    return record
  }
}

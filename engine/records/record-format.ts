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
}

export function recordFormat<T>({ name, version, encode, decode }: RecordDefinition<T>): RecordFormat<T> {
  const prefix = String.fromCharCode(version)
  return {
    encode: (record) => Buffer.from(prefix + JSON.stringify(encode(record)), 'utf8'),
    decode(row) {
      const read = decode[row[0] ?? 0]
      if (read === undefined) throw new EngineError('Corrupt', `a ${name} row has the unknown format ${row[0]}`)
      try {
        return read(JSON.parse(row.toString('utf8', 1)) as never)
      } catch (error) {
        throw new EngineError('Corrupt', `a ${name} row cannot be read`, {}, { cause: error })
      }
    },
  }
}

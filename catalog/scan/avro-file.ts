import { inflateRawSync, zstdDecompressSync } from 'node:zlib'
import avro from 'avsc'
import { validationError } from '../errors.ts'
import { int64Of } from '../json/json.ts'
import { unsnapAvroBlock } from './snappy.ts'

/** An Avro object container file (https://avro.apache.org/docs/1.12.0/specification/#object-container-files), longs exact. */
export interface AvroFile {
  readonly schema: AvroRecordSchema
  readonly metadata: Readonly<Record<string, Buffer>>
  readonly records: readonly AvroRecord[]
}

export type AvroRecord = Readonly<Record<string, unknown>>

/** What is looked at of a record's schema: Iceberg puts `field-id` on every field. */
export interface AvroRecordSchema {
  readonly fields: readonly AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly 'field-id'?: number
  readonly type: unknown
}

const headerType = avro.Type.forSchema({
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
})
const blockType = avro.Type.forSchema({
  type: 'record',
  name: 'Block',
  fields: [
    { name: 'count', type: 'int' },
    { name: 'bytes', type: 'bytes' },
    { name: 'sync', type: { type: 'fixed', name: 'BlockSync', size: 16 } },
  ],
})

const exactLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => int64Of(buffer.readBigInt64LE()),
  toBuffer: (value: number | bigint) => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64LE(BigInt(value))
    return buffer
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'number' || typeof value === 'bigint',
  compare: (left: number | bigint, right: number | bigint) => (left < right ? -1 : left > right ? 1 : 0),
})

/** A block may not unpack to more. */
const maxBlockBytes = 256 * 1024 * 1024

const magic = Buffer.from('Obj\u0001')

/** Reads the whole file. `Validation` when it is none, or uses a codec that Iceberg's writers do not (bzip2, xz). */
export function readAvroFile(bytes: Uint8Array, location: string): AvroFile {
  try {
    return read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (cause) {
    throw validationError(`Cannot read Avro file ${location}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

interface Header {
  readonly magic: Buffer
  readonly meta: Readonly<Record<string, Buffer>>
  readonly sync: Buffer
}

interface Block {
  readonly count: number
  readonly bytes: Buffer
  readonly sync: Buffer
}

function read(file: Buffer): AvroFile {
  const { value: header, offset: start } = decode<Header>(headerType, file, 0)
  if (!header.magic.equals(magic)) throw new Error('not an Avro object container file')
  const schema = JSON.parse(header.meta['avro.schema']?.toString('utf8') ?? 'null') as AvroRecordSchema
  requireSizedItems(schema)
  const recordType = avro.Type.forSchema(schema as never, { registry: { long: exactLong }, typeHook: (type) => (isWrittenOutLong(type) ? exactLong : undefined) })
  const codec = header.meta['avro.codec']?.toString('utf8') ?? 'null'
  const records: AvroRecord[] = []
  for (let offset = start; offset < file.length; ) {
    const block = decode<Block>(blockType, file, offset)
    offset = block.offset
    if (!block.value.sync.equals(header.sync)) throw new Error('a block does not end in the file’s marker')
    const data = unpack(codec, block.value.bytes)
    if (block.value.count < 0 || block.value.count > data.length) throw new Error('a block claims more records than it can hold')
    let position = 0
    for (let count = 0; count < block.value.count; count++) {
      const record = decode<AvroRecord>(recordType, data, position)
      records.push(record.value)
      position = record.offset
    }
  }
  return { schema, metadata: header.meta, records }
}

/** `{ "type": "long" }`, as DuckDB writes it, and longs with a logical type; the registry knows the bare name only. */
function isWrittenOutLong(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && (schema as { readonly type?: unknown }).type === 'long'
}

/**
 * Refuses schemas by which a few bytes stand for billions of values: items that take no bytes in
 * arrays and maps. No manifest has them.
 */
function requireSizedItems(schema: unknown): void {
  if (Array.isArray(schema)) {
    for (const branch of schema) requireSizedItems(branch)
  } else if (typeof schema === 'object' && schema !== null) {
    const { type, items, values, fields, size } = schema as Readonly<Record<string, unknown>>
    if (takesNoBytes(items) || takesNoBytes(values)) throw new Error('an array or map of values that take no bytes')
    if (type === 'fixed' && !(typeof size === 'number' && size > 0)) throw new Error('a fixed type without a size')
    for (const part of [type, items, values]) if (typeof part === 'object') requireSizedItems(part)
    if (Array.isArray(fields)) for (const field of fields) requireSizedItems((field as AvroField).type)
  }
}

function takesNoBytes(schema: unknown): boolean {
  if (schema === 'null') return true
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return false
  const { type, fields } = schema as Readonly<Record<string, unknown>>
  if (type === 'null') return true
  return type === 'record' && Array.isArray(fields) && fields.every((field) => takesNoBytes((field as AvroField).type))
}

function decode<T>(type: avro.Type, buffer: Buffer, position: number): { readonly value: T; readonly offset: number } {
  const { value, offset } = type.decode(buffer, position)
  if (offset < 0) throw new Error('the file is truncated')
  return { value: value as T, offset }
}

function unpack(codec: string, bytes: Buffer): Buffer {
  switch (codec) {
    case 'null':
      return bytes
    case 'deflate':
      return inflateRawSync(bytes, { maxOutputLength: maxBlockBytes })
    case 'zstandard':
      return zstdDecompressSync(bytes, { maxOutputLength: maxBlockBytes })
    case 'snappy':
      return unsnapAvroBlock(bytes, maxBlockBytes)
    default:
      throw new Error(`unsupported codec ${codec}`)
  }
}

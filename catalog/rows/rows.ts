import { assert } from '../../base/assert.ts'
import { MiB } from '../../base/units.ts'
import type { CatalogStore } from '../catalog-store.ts'
import { badRequest } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { parseJsonBytes } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import type { Namespace, TableIdentifier } from '../spec/identifier.ts'
import { functionKey, namespaceKey, tableKey, viewKey, warehouseKey } from './keys.ts'

/** What both a store and a transaction can do. */
export type RowReader = Pick<CatalogStore, 'get' | 'list'>

/** A place for tables: a bucket, or the part of one below a prefix. */
export interface Warehouse {
  readonly name: string
  readonly bucket: string
  /** Without slashes at its ends. */
  readonly prefix?: string
  /** 12 digits. */
  readonly ownerAccountId: string
  readonly createdAtMs: number
  /** How long dropped tables and views stay restorable; absent: they do not. */
  readonly undropMs?: number
  /** A resource policy as it was put. */
  readonly policy?: string
}

export interface NamespaceRow {
  readonly properties: Readonly<Record<string, string>>
  readonly createdAtMs: number
  readonly protected?: boolean
}

/** Which content of a metadata file is meant. */
export interface MetadataFile {
  readonly metadataLocation: string
  /** Of a file that was registered: another one each time, because clients may have written it anew before. */
  readonly fileTag?: string
}

export function fileOf({ metadataLocation, fileTag }: MetadataFile): MetadataFile {
  return fileTag === undefined ? { metadataLocation } : { metadataLocation, fileTag }
}

/** A table's or view's pointer, and what listings need without reading its metadata. */
export interface PointerRow extends MetadataFile {
  readonly uuid: string
  readonly location: string
  readonly formatVersion: number
  readonly updatedAtMs: number
  readonly protected?: boolean
  readonly tags?: Readonly<Record<string, string>>
  /** A resource policy as it was put. */
  readonly policy?: string
}

/** A function, its metadata as it was stored. */
export interface FunctionRow {
  readonly metadata: Json
  readonly updatedAtMs: number
}

/** Rows are a format byte and JSON. Version 1 is the only one so far. */
const rowFormat = 1

/** What clients send becomes rows: properties, functions, reports, filters. More of it than this is refused. */
const maxRowBytes = 4 * MiB

/** `BadRequest` when the row would be too large. */
export function encodeRow(row: object): Buffer {
  const text = Buffer.from(stringifyJson(row as Json), 'utf8')
  if (text.length > maxRowBytes) throw badRequest(`Too large to be stored: ${text.length} bytes, of ${maxRowBytes} at most`)
  return Buffer.concat([Buffer.from([rowFormat]), text])
}

/** Rows are our own writing: their shape is trusted, their format is checked. */
export function decodeRow<T>(bytes: Uint8Array): T {
  assert(bytes[0] === rowFormat, `catalog row of unknown format ${bytes[0]}`)
  return parseJsonBytes(bytes.subarray(1)) as T
}

async function read<T>(reader: RowReader, rowKey: Uint8Array): Promise<T | undefined> {
  const bytes = await reader.get(rowKey)
  return bytes === undefined ? undefined : decodeRow<T>(bytes)
}

export function readWarehouse(reader: RowReader, name: string): Promise<Warehouse | undefined> {
  return read<Warehouse>(reader, warehouseKey(name))
}

export function readNamespace(reader: RowReader, warehouse: string, namespace: Namespace): Promise<NamespaceRow | undefined> {
  return read<NamespaceRow>(reader, namespaceKey(warehouse, namespace))
}

export function readTable(reader: RowReader, warehouse: string, identifier: TableIdentifier): Promise<PointerRow | undefined> {
  return read<PointerRow>(reader, tableKey(warehouse, identifier))
}

export function readView(reader: RowReader, warehouse: string, identifier: TableIdentifier): Promise<PointerRow | undefined> {
  return read<PointerRow>(reader, viewKey(warehouse, identifier))
}

export function readFunction(reader: RowReader, warehouse: string, identifier: TableIdentifier): Promise<FunctionRow | undefined> {
  return read<FunctionRow>(reader, functionKey(warehouse, identifier))
}

import { gunzipSync } from 'node:zlib'
import { CatalogStoreError, type CatalogStore, type FilePart } from './catalog-store.ts'
import { CatalogError, validationError } from './errors.ts'
import { JsonShapeError } from './json/decode.ts'
import type { Json } from './json/json.ts'
import { JsonSyntaxError, parseJsonBytes } from './json/parse.ts'
import type { MetadataFile } from './rows/rows.ts'
import { decodeTableFile } from './spec/table-file.ts'
import { decodeTableMetadata, type TableMetadata } from './spec/table-metadata.ts'
import { decodeViewMetadata, type ViewMetadata } from './spec/view-metadata.ts'

/** A table's metadata as far as it is in memory, and what its file is made of where it is one that we wrote in parts. */
export interface CachedTable {
  readonly metadata: TableMetadata
  readonly parts?: readonly FilePart[]
}

interface Entry {
  readonly table?: CachedTable
  readonly view?: ViewMetadata
  readonly sizeBytes: number
}

/**
 * Parsed metadata files by location and tag: a metadata file never changes while something points at
 * it, and what is registered has a tag of its own, so an entry never goes stale. Bounded by the bytes of the files; the least recently used go first.
 */
export class MetadataCache {
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  #sizeBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  table(name: string): CachedTable | undefined {
    return this.#get(name)?.table
  }

  view(name: string): ViewMetadata | undefined {
    return this.#get(name)?.view
  }

  setTable(name: string, table: CachedTable, sizeBytes = 2 * ownBytesOf(table.parts ?? [])): void {
    this.#set(name, { table, sizeBytes })
  }

  setView(name: string, view: ViewMetadata, sizeBytes: number): void {
    this.#set(name, { view, sizeBytes })
  }

  #get(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry
  }

  #drop(name: string): void {
    this.#sizeBytes -= this.#entries.get(name)?.sizeBytes ?? 0
    this.#entries.delete(name)
  }

  #set(name: string, entry: Entry): void {
    this.#drop(name)
    if (entry.sizeBytes > this.#maxBytes) return
    this.#entries.set(name, entry)
    this.#sizeBytes += entry.sizeBytes
    for (const [oldest, { sizeBytes }] of this.#entries) {
      if (this.#sizeBytes <= this.#maxBytes) return
      this.#entries.delete(oldest)
      this.#sizeBytes -= sizeBytes
    }
  }
}

function ownBytesOf(parts: readonly FilePart[]): number {
  return parts.reduce((sum, part) => (part.kind === 'own' ? sum + part.bytes.length : sum), 0)
}

export interface MetadataReader {
  readonly store: CatalogStore
  readonly cache: MetadataCache
}

const nameOf = ({ metadataLocation, fileTag }: MetadataFile): string => (fileTag === undefined ? metadataLocation : `${metadataLocation} ${fileTag}`)

/** Metadata of which a part is archived is kept beside the whole of it. */
const wholeOf = (file: MetadataFile): string => `${nameOf(file)} whole`

/** `NotFound` when the file is gone, `Validation` when it is no table metadata. Nothing of it is archived. */
export async function readTableMetadata(reader: MetadataReader, file: MetadataFile): Promise<TableMetadata> {
  const head = await readTableHead(reader, file)
  const { metadataLocation: location } = file
  if (head.archived === undefined) return head
  const cached = reader.cache.table(wholeOf(file))
  if (cached !== undefined) return cached.metadata
  const { json, sizeBytes } = await readJson(location, () => reader.store.readFile(location))
  const metadata = decoding(location, () => decodeTableMetadata(json, () => uuidOfLocation(location)))
  reader.cache.setTable(wholeOf(file), { metadata }, sizeBytes)
  return metadata
}

/** As `readTableMetadata`, but what is old of the long lists may be archived: its cost does not grow with them. */
export async function readTableHead(reader: MetadataReader, file: MetadataFile): Promise<TableMetadata> {
  return (await readTableFile(reader, file)).metadata
}

/** As `readTableHead`, with what the file is made of. */
export async function readTableFile(reader: MetadataReader, file: MetadataFile): Promise<CachedTable> {
  const { metadataLocation: location } = file
  const cached = reader.cache.table(nameOf(file))
  if (cached !== undefined) return cached
  const parts = await reading(location, () => reader.store.readParts(location))
  const newUuid = (): string => uuidOfLocation(location)
  if (parts.some(({ kind }) => kind === 'shared')) {
    const table = { metadata: decoding(location, () => decodeTableFile(parts, newUuid)), parts }
    reader.cache.setTable(nameOf(file), table)
    return table
  }
  const own = parts.flatMap((part) => (part.kind === 'own' ? [part.bytes] : []))
  const { json, sizeBytes } = await readJson(location, async () => Buffer.concat(own))
  const table = { metadata: decoding(location, () => decodeTableMetadata(json, newUuid)) }
  reader.cache.setTable(nameOf(file), table, sizeBytes)
  return table
}

export async function readViewMetadata(reader: MetadataReader, file: MetadataFile): Promise<ViewMetadata> {
  const { metadataLocation: location } = file
  const cached = reader.cache.view(nameOf(file))
  if (cached !== undefined) return cached
  const { json, sizeBytes } = await readJson(location, () => reader.store.readFile(location))
  const metadata = decoding(location, () => decodeViewMetadata(json, 'view metadata'))
  reader.cache.setView(nameOf(file), metadata, sizeBytes)
  return metadata
}

async function readJson(location: string, read: () => Promise<Uint8Array>): Promise<{ json: Json; sizeBytes: number }> {
  const stored = await reading(location, read)
  const bytes = stored[0] === 0x1f && stored[1] === 0x8b ? unzipped(location, stored) : stored
  return { json: decoding(location, () => parseJsonBytes(bytes)), sizeBytes: bytes.length }
}

async function reading<T>(location: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CatalogStoreError && error.code === 'FileNotFound') throw new CatalogError('NotFound', `Location does not exist: ${location}`)
    throw error
  }
}

/** A compressed metadata file may not unpack to more. */
const maxMetadataBytes = 512 * 1024 * 1024

function unzipped(location: string, stored: Uint8Array): Uint8Array {
  try {
    return gunzipSync(stored, { maxOutputLength: maxMetadataBytes })
  } catch (cause) {
    throw validationError(`Cannot unpack metadata file ${location}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function decoding<T>(location: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof JsonShapeError || error instanceof JsonSyntaxError) throw validationError(`Cannot parse metadata file ${location}: ${error.message}`)
    throw error
  }
}

/** A version 1 table without a UUID gets one that every reader of the same file agrees on. */
function uuidOfLocation(location: string): string {
  const hex = Buffer.from(location).toString('hex').padEnd(32, '0').slice(-32)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

import { gunzipSync } from 'node:zlib'
import { CatalogStoreError, type CatalogStore } from './catalog-store.ts'
import { CatalogError, validationError } from './errors.ts'
import { JsonShapeError } from './json/decode.ts'
import type { Json } from './json/json.ts'
import { JsonSyntaxError, parseJsonBytes } from './json/parse.ts'
import { decodeTableFile } from './spec/table-file.ts'
import { decodeTableMetadata, type TableMetadata } from './spec/table-metadata.ts'
import { decodeViewMetadata, type ViewMetadata } from './spec/view-metadata.ts'

/**
 * Parsed metadata files by location: a metadata file never changes once it is written, so an entry
 * never goes stale. Bounded by the bytes of the files; the least recently used go first.
 */
export class MetadataCache {
  readonly #entries = new Map<string, { readonly value: TableMetadata | ViewMetadata; readonly sizeBytes: number }>()
  readonly #maxBytes: number
  #sizeBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(location: string): TableMetadata | ViewMetadata | undefined {
    const entry = this.#entries.get(location)
    if (entry === undefined) return undefined
    this.#entries.delete(location)
    this.#entries.set(location, entry)
    return entry.value
  }

  /** For a location that clients may have written to since. */
  forget(location: string): void {
    this.#drop(location)
    this.#drop(wholeOf(location))
  }

  #drop(location: string): void {
    this.#sizeBytes -= this.#entries.get(location)?.sizeBytes ?? 0
    this.#entries.delete(location)
  }

  set(location: string, value: TableMetadata | ViewMetadata, sizeBytes: number): void {
    this.#drop(location)
    if (sizeBytes > this.#maxBytes) return
    this.#entries.set(location, { value, sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#sizeBytes <= this.#maxBytes) return
      this.#entries.delete(oldest)
      this.#sizeBytes -= entry.sizeBytes
    }
  }
}

interface MetadataReader {
  readonly store: CatalogStore
  readonly cache: MetadataCache
}

/** Metadata of which a part is archived is kept beside the whole of it. */
function wholeOf(location: string): string {
  return `${location} whole`
}

/** `NotFound` when the file is gone, `Validation` when it is no table metadata. Nothing of it is archived. */
export async function readTableMetadata(reader: MetadataReader, location: string): Promise<TableMetadata> {
  const head = await readTableHead(reader, location)
  if (head.archived === undefined) return head
  const cached = reader.cache.get(wholeOf(location))
  if (cached !== undefined && 'table-uuid' in cached) return cached
  const { json, sizeBytes } = await readJson(location, () => reader.store.readFile(location))
  const metadata = decoding(location, () => decodeTableMetadata(json, () => uuidOfLocation(location)))
  reader.cache.set(wholeOf(location), metadata, sizeBytes)
  return metadata
}

/** As `readTableMetadata`, but old snapshots and log entries may be archived: its cost does not grow with them. */
export async function readTableHead(reader: MetadataReader, location: string): Promise<TableMetadata> {
  const cached = reader.cache.get(location)
  if (cached !== undefined && 'table-uuid' in cached) return cached
  const parts = await reading(location, () => reader.store.readParts(location))
  const own = parts.flatMap((part) => (part.kind === 'own' ? [part.bytes] : []))
  const ownBytes = own.reduce((sum, bytes) => sum + bytes.length, 0)
  const newUuid = (): string => uuidOfLocation(location)
  if (own.length < parts.length) {
    const metadata = decoding(location, () => decodeTableFile(parts, newUuid))
    reader.cache.set(location, metadata, ownBytes)
    return metadata
  }
  const { json, sizeBytes } = await readJson(location, async () => Buffer.concat(own))
  const metadata = decoding(location, () => decodeTableMetadata(json, newUuid))
  reader.cache.set(location, metadata, sizeBytes)
  return metadata
}

export async function readViewMetadata(reader: MetadataReader, location: string): Promise<ViewMetadata> {
  const cached = reader.cache.get(location)
  if (cached !== undefined && 'view-uuid' in cached) return cached
  const { json, sizeBytes } = await readJson(location, () => reader.store.readFile(location))
  const metadata = decoding(location, () => decodeViewMetadata(json, 'view metadata'))
  reader.cache.set(location, metadata, sizeBytes)
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

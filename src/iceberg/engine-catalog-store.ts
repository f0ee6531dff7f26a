import { createHash, hash } from 'node:crypto'
import { must } from '../../base/assert.ts'
import { MiB } from '../../base/units.ts'
import {
  CatalogStoreError, isObjectKey, parseLocation, type CatalogStore, type CatalogStoreErrorCode, type CatalogTransaction, type FilePart, type NewFilePart, type PartsPut,
} from '../../catalog/index.ts'
import { EngineError, type Engine, type EngineErrorCode, type EngineTransaction, type ExtensionReader, type Extent } from '../../engine/index.ts'

/**
 * The catalog over the object store: its rows are extension rows of the engine, its files ordinary
 * objects, and a transaction of the catalog is one commit of the engine.
 */
export function engineCatalogStore(engine: Pick<Engine, 'transact' | 'extensions' | 'getObject' | 'headObject'>, { maxFileBytes = defaultMaxFileBytes } = {}): CatalogStore {
  return {
    transact: (body) => mapped(() => engine.transact((tx) => body(new EngineCatalogTransaction(tx)))),
    get: (key) => mapped(() => engine.extensions.get(rowKey(key))),
    list: (range) => mapped(() => listRows(engine.extensions, range)),
    readFile: (location, limit) =>
      mapped(async () => {
        const reader = await engine.getObject(objectOf(location))
        const chunks: Buffer[] = []
        requireFitting(location, reader.version.sizeBytes, Math.min(limit?.maxBytes ?? maxFileBytes, maxFileBytes))
        for await (const chunk of reader.read({ offset: 0, length: reader.version.sizeBytes })) chunks.push(Buffer.from(chunk))
        return Buffer.concat(chunks)
      }),
    readParts: (location) => mapped(() => readParts(engine, location, maxFileBytes)),
    readRange: (location, range) => mappedRange(engine, location, range),
    fileExists: (location) =>
      mapped(async () => {
        try {
          await engine.headObject(objectOf(location))
          return true
        } catch (error) {
          if (error instanceof EngineError && storeCodes[error.code] === 'FileNotFound') return false
          throw error
        }
      }),
  }
}

type Reading = Pick<Engine, 'getObject'>

/** Clients write metadata files and manifests; what is larger than this is none, and is not read into memory. */
const defaultMaxFileBytes = 512 * MiB

function requireFitting(location: string, sizeBytes: number, maxFileBytes: number): void {
  if (sizeBytes > maxFileBytes) throw new CatalogStoreError('FileTooLarge', `the file is too large to be metadata: ${location} has ${sizeBytes} bytes`)
}

async function readParts(engine: Reading, location: string, maxFileBytes: number): Promise<FilePart[]> {
  const reader = await engine.getObject(objectOf(location))
  const parts: FilePart[] = []
  let offset = 0
  for (const { sizeBytes, shared } of await reader.extents()) {
    if (shared !== undefined) parts.push({ kind: 'shared', sizeBytes, ...shared })
    else {
      const chunks: Buffer[] = []
      requireFitting(location, sizeBytes, maxFileBytes)
      for await (const chunk of reader.read({ offset, length: sizeBytes })) chunks.push(Buffer.from(chunk))
      parts.push({ kind: 'own', bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) })
    }
    offset += sizeBytes
  }
  return parts
}

async function* mappedRange(engine: Reading, location: string, range?: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer> {
  const reader = await mapped(() => engine.getObject(objectOf(location)))
  // The engine fills its buffers again; a stream may have several of ours.
  for await (const chunk of reader.read(range ?? { offset: 0, length: reader.version.sizeBytes })) yield Buffer.from(chunk)
}

type Range = Parameters<CatalogStore['list']>[0]

/** The catalog's part of the extension rows. */
const rowPrefix = Buffer.from('iceberg/')

function rowKey(key: Uint8Array): Buffer {
  return Buffer.concat([rowPrefix, key])
}

async function listRows(rows: ExtensionReader, { start, end, limit }: Range): Promise<{ key: Buffer; value: Buffer }[]> {
  const found = await rows.list({ start: rowKey(start), end: rowKey(end), limit })
  return found.map(({ key, value }) => ({ key: key.subarray(rowPrefix.length), value }))
}

function objectOf(location: string): { readonly bucket: string; readonly key: string } {
  const parsed = parseLocation(location)
  if (parsed === undefined || !isObjectKey(parsed.key)) throw new CatalogStoreError('BadLocation', `not the location of a file: ${location}`)
  return parsed
}

class EngineCatalogTransaction implements CatalogTransaction {
  readonly #tx: EngineTransaction

  constructor(tx: EngineTransaction) {
    this.#tx = tx
  }

  get(key: Uint8Array): Promise<Buffer | undefined> {
    return this.#tx.extensions.get(rowKey(key))
  }

  list(range: Range): Promise<{ key: Buffer; value: Buffer }[]> {
    return listRows(this.#tx.extensions, range)
  }

  requireEmpty({ start, end }: { readonly start: Uint8Array; readonly end: Uint8Array }): void {
    this.#tx.extensions.requireEmpty({ start: rowKey(start), end: rowKey(end) })
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#tx.extensions.put(rowKey(key), value)
  }

  delete(key: Uint8Array): void {
    this.#tx.extensions.delete(rowKey(key))
  }

  putFile(location: string, bytes: Uint8Array, contentType: string, { pinned = true }: { readonly pinned?: boolean } = {}): Promise<void> {
    return this.#put(location, bytes, hash('md5', bytes, 'hex'), { contentType, pinned })
  }

  async putParts(location: string, parts: readonly NewFilePart[], { sharedBy, contentType, pinned = true, onLinked }: PartsPut): Promise<void> {
    const source = sharedBy === undefined ? {} : { sharedBy: objectOf(sharedBy) }
    const told = onLinked === undefined ? {} : { onLinked: (extents: readonly Extent[]) => onLinked(linkedParts(parts, extents)) }
    await this.#put(location, { parts, ...source, ...told }, etagOf(parts), { contentType, pinned })
  }

  /** The file belongs to the bucket's owner. */
  async #put(location: string, bytes: Parameters<EngineTransaction['putObject']>[0]['bytes'], etag: string, { contentType, pinned }: { readonly contentType: string; readonly pinned: boolean }): Promise<void> {
    await this.#tx.putObject({
      ...objectOf(location),
      bytes,
      etag,
      checksums: [],
      attributes: { headers: { 'content-type': contentType }, userMetadata: {}, storageClass: 'STANDARD' },
      pinned,
    })
  }

  async pinFile(location: string): Promise<void> {
    await this.#tx.pinObject(objectOf(location))
  }

  async unpinFile(location: string): Promise<void> {
    await this.#tx.unpinObject(objectOf(location))
  }

  async deleteFile(location: string): Promise<void> {
    try {
      await this.#tx.deleteObject(objectOf(location))
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'Pinned') throw error
    }
  }

  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void {
    this.#tx.emit(event)
  }
}

/** The file's parts as the engine put them: own ones in their order, and where the others are. */
function linkedParts(parts: readonly NewFilePart[], extents: readonly Extent[]): FilePart[] {
  const own = parts.flatMap((part) => (part.kind === 'own' && part.bytes.length > 0 ? [part] : []))
  let next = 0
  return extents.map(({ sizeBytes, shared }) => (shared === undefined ? must(own[next++], 'each own extent was a part') : { kind: 'shared', sizeBytes, ...shared }))
}

/**
 * Shared bytes never change, so their name stands for them. The dash tells clients that this is not
 * the MD5 of the body; it is half of a SHA-256, which takes half the time.
 */
function etagOf(parts: readonly NewFilePart[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    if (part.kind === 'shared') hash.update(`\n${part.sharedId} ${part.offset} ${part.sizeBytes}\n`)
    else hash.update(part.bytes)
  }
  return `${hash.digest('hex').slice(0, 32)}-${parts.length}`
}

/** What an engine's error means here; the others are faults and stay as they are. */
const storeCodes: Partial<Record<EngineErrorCode, CatalogStoreErrorCode>> = {
  NoSuchBucket: 'BadLocation',
  NoSuchKey: 'FileNotFound',
  NoSuchVersion: 'FileNotFound',
  IsDeleteMarker: 'FileNotFound',
  // What is shared was changed from under the transaction: the next attempt reads it anew.
  InvalidPart: 'Unavailable',
  Contention: 'Unavailable',
  StorageFull: 'StorageFull',
  Unwritable: 'Unavailable',
  Unreadable: 'Unavailable',
  OutcomeUnknown: 'OutcomeUnknown',
  Io: 'Unavailable',
}

async function mapped<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const code = error instanceof EngineError ? storeCodes[error.code] : undefined
    if (code === undefined || !(error instanceof EngineError)) throw error
    throw new CatalogStoreError(code, error.message, { cause: error })
  }
}

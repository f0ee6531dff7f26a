import { createHash } from 'node:crypto'
import { CatalogStoreError, parseLocation, type CatalogStore, type CatalogStoreErrorCode, type CatalogTransaction } from '../../catalog/index.ts'
import { EngineError, type Engine, type EngineErrorCode, type EngineTransaction, type ExtensionReader } from '../../engine/index.ts'

/**
 * The catalog over the object store: its rows are extension rows of the engine, its files ordinary
 * objects, and a transaction of the catalog is one commit of the engine.
 */
export function engineCatalogStore(engine: Pick<Engine, 'transact' | 'extensions' | 'getObject' | 'headObject' | 'headBucket'>): CatalogStore {
  return {
    transact: (body) => mapped(() => engine.transact((tx) => body(new EngineCatalogTransaction(tx, engine)))),
    get: (key) => mapped(() => engine.extensions.get(rowKey(key))),
    list: (range) => mapped(() => listRows(engine.extensions, range)),
    readFile: (location) =>
      mapped(async () => {
        const reader = await engine.getObject(objectOf(location))
        const chunks: Buffer[] = []
        for await (const chunk of reader.read({ offset: 0, length: reader.version.sizeBytes })) chunks.push(Buffer.from(chunk))
        return Buffer.concat(chunks)
      }),
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
  if (parsed === undefined || parsed.key === '') throw new CatalogStoreError('BadLocation', `not the location of a file: ${location}`)
  return parsed
}

class EngineCatalogTransaction implements CatalogTransaction {
  readonly #tx: EngineTransaction
  readonly #engine: Pick<Engine, 'headBucket'>

  constructor(tx: EngineTransaction, engine: Pick<Engine, 'headBucket'>) {
    this.#tx = tx
    this.#engine = engine
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

  /** The file belongs to the bucket's owner; it is pinned. */
  async putFile(location: string, bytes: Uint8Array, contentType: string): Promise<void> {
    const object = objectOf(location)
    const { ownerId } = await this.#engine.headBucket(object.bucket)
    await this.#tx.putObject({
      ...object,
      bytes,
      etag: createHash('md5').update(bytes).digest('hex'),
      checksums: [],
      attributes: { headers: { 'content-type': contentType }, userMetadata: {}, storageClass: 'STANDARD' },
      ownerId,
      pinned: true,
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

/** What an engine's error means here; the others are faults and stay as they are. */
const storeCodes: Partial<Record<EngineErrorCode, CatalogStoreErrorCode>> = {
  NoSuchBucket: 'BadLocation',
  NoSuchKey: 'FileNotFound',
  NoSuchVersion: 'FileNotFound',
  IsDeleteMarker: 'FileNotFound',
  Contention: 'Unavailable',
  StorageFull: 'StorageFull',
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

import { CatalogStoreError, type CatalogStore, type CatalogTransaction, type FilePart, type NewFilePart, type PartsPut } from './catalog-store.ts'

interface MemoryFile {
  readonly bytes: Buffer
  readonly pins: number
  readonly parts: readonly FilePart[]
}

interface NewMemoryFile {
  readonly content: readonly NewFilePart[]
  readonly pinned: boolean
}

/** A CatalogStore in memory, for tests: optimistic like the real one, so bodies do run again. */
export class MemoryCatalogStore implements CatalogStore {
  readonly #rows = new Map<string, { readonly value: Buffer; readonly version: number }>()
  readonly #files = new Map<string, MemoryFile>()
  readonly #sequences: Buffer[] = []
  readonly events: { readonly type: string; readonly subject: string; readonly detail: unknown }[] = []
  readonly #buckets: ReadonlySet<string>
  #version = 0

  constructor(buckets: readonly string[]) {
    this.#buckets = new Set(buckets)
  }

  /** The locations of all files. */
  get fileLocations(): readonly string[] {
    return [...this.#files.keys()].sort()
  }

  /** The rows, for comparing two states. */
  get rowCount(): number {
    return this.#rows.size
  }

  async transact<T>(body: (tx: CatalogTransaction) => Promise<T>): Promise<T> {
    for (;;) {
      const tx = new MemoryTransaction(this)
      const result = await body(tx)
      if (this.#commit(tx)) return result
    }
  }

  async get(key: Uint8Array): Promise<Buffer | undefined> {
    return this.entry(key)?.value
  }

  async list({ start, end, limit }: { start: Uint8Array; end: Uint8Array; limit: number }): Promise<{ key: Buffer; value: Buffer }[]> {
    return this.keysIn(start, end)
      .slice(0, limit)
      .map((name) => ({ key: Buffer.from(name, 'latin1'), value: this.#rows.get(name)?.value ?? Buffer.alloc(0) }))
  }

  async readFile(location: string, limit?: { readonly maxBytes: number }): Promise<Buffer> {
    this.checkLocation(location)
    const { bytes } = this.fileAt(location)
    if (bytes.length > (limit?.maxBytes ?? Infinity)) throw new CatalogStoreError('FileTooLarge', `the file is too large: ${location} has ${bytes.length} bytes`)
    return bytes
  }

  async readParts(location: string): Promise<readonly FilePart[]> {
    this.checkLocation(location)
    return this.fileAt(location).parts
  }

  async *readRange(location: string, range?: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer> {
    const file = await this.readFile(location)
    const bytes = range === undefined ? file : file.subarray(range.offset, range.offset + range.length)
    for (let at = 0; at < bytes.length; at += rangeChunkBytes) yield bytes.subarray(at, at + rangeChunkBytes)
  }

  fileAt(location: string): MemoryFile {
    const file = this.#files.get(location)
    if (file === undefined) throw new CatalogStoreError('FileNotFound', `no file at ${location}`)
    return file
  }

  async fileExists(location: string): Promise<boolean> {
    this.checkLocation(location)
    return this.#files.has(location)
  }

  /** A file that did not come through the catalog, as a client's own writes. False when the file is pinned. */
  writeFile(location: string, bytes: Uint8Array): boolean {
    this.checkLocation(location)
    if (this.isPinned(location)) return false
    this.#files.set(location, { ...this.#linked({ content: [{ kind: 'own', bytes: Buffer.from(bytes) }], pinned: false }) })
    return true
  }

  isPinned(location: string): boolean {
    return (this.#files.get(location)?.pins ?? 0) > 0
  }

  entry(key: Uint8Array): { readonly value: Buffer; readonly version: number } | undefined {
    return this.#rows.get(nameOf(key))
  }

  keysIn(start: Uint8Array, end: Uint8Array): string[] {
    const [low, high] = [nameOf(start), nameOf(end)]
    return [...this.#rows.keys()].filter((name) => name >= low && name < high).sort()
  }

  checkLocation(location: string): void {
    const bucket = /^s3:\/\/([^/]+)\/./.exec(location)?.[1]
    if (bucket === undefined || !this.#buckets.has(bucket)) throw new CatalogStoreError('BadLocation', `not in a warehouse bucket: ${location}`)
  }

  /** A file made of parts, with the sequences that its shareable parts join. */
  #linked({ content, pinned }: NewMemoryFile): MemoryFile {
    const parts: FilePart[] = []
    for (const part of content) {
      const linked = part.kind === 'shareable' ? this.#share(part.bytes, parts.at(-1)) : part
      const last = parts.at(-1)
      const continues = linked.kind === 'shared' && last?.kind === 'shared' && last.sharedId === linked.sharedId && last.offset + last.sizeBytes === linked.offset
      if (continues) parts[parts.length - 1] = { ...last, sizeBytes: last.sizeBytes + linked.sizeBytes }
      else parts.push(linked)
    }
    const bytes = Buffer.concat(parts.map((part) => (part.kind === 'own' ? part.bytes : this.#sharedAt(part.sharedId).subarray(part.offset, part.offset + part.sizeBytes))))
    return { bytes, pins: pinned ? 1 : 0, parts }
  }

  #share(bytes: Uint8Array, before: FilePart | undefined): FilePart {
    if (before?.kind === 'shared') {
      const sequence = this.#sharedAt(before.sharedId)
      if (before.offset + before.sizeBytes === sequence.length) {
        this.#sequences[Number(before.sharedId)] = Buffer.concat([sequence, bytes])
        return { kind: 'shared', sharedId: before.sharedId, offset: sequence.length, sizeBytes: bytes.length }
      }
    }
    const sharedId = String(this.#sequences.push(Buffer.from(bytes)) - 1)
    return { kind: 'shared', sharedId, offset: 0, sizeBytes: bytes.length }
  }

  #sharedAt(sharedId: string): Buffer {
    return this.#sequences[Number(sharedId)] ?? Buffer.alloc(0)
  }

  #commit(tx: MemoryTransaction): boolean {
    for (const [name, version] of tx.checks) if (this.#rows.get(name)?.version !== version) return false
    for (const [location, file] of tx.pinned) if (this.#files.get(location)?.bytes !== file.bytes) return false
    for (const { start, end } of tx.emptyRanges) if (this.keysIn(start, end).length > 0) return false
    const version = ++this.#version
    for (const [name, value] of tx.writes) {
      if (value === undefined) this.#rows.delete(name)
      else this.#rows.set(name, { value, version })
    }
    for (const [location, put] of tx.files) {
      if (put !== undefined) {
        const file = this.#linked(put)
        tx.onLinked.get(location)?.(file.parts)
        this.#files.set(location, file)
      } else if (!this.isPinned(location)) this.#files.delete(location)
    }
    for (const [location, change] of tx.pins) {
      const file = this.#files.get(location)
      if (file !== undefined) this.#files.set(location, { ...file, pins: Math.max(0, file.pins + change) })
    }
    this.events.push(...tx.events)
    return true
  }
}

/** Small, so that what reads a file meets the edges of chunks. */
const rangeChunkBytes = 1000

class MemoryTransaction implements CatalogTransaction {
  readonly checks = new Map<string, number | undefined>()
  readonly emptyRanges: { readonly start: Uint8Array; readonly end: Uint8Array }[] = []
  readonly writes = new Map<string, Buffer | undefined>()
  readonly files = new Map<string, NewMemoryFile | undefined>()
  readonly onLinked = new Map<string, NonNullable<PartsPut['onLinked']>>()
  readonly pins = new Map<string, number>()
  /** Files as they were when they were pinned. */
  readonly pinned = new Map<string, MemoryFile>()
  readonly events: { readonly type: string; readonly subject: string; readonly detail: unknown }[] = []
  readonly #store: MemoryCatalogStore

  constructor(store: MemoryCatalogStore) {
    this.#store = store
  }

  async get(key: Uint8Array): Promise<Buffer | undefined> {
    const entry = this.#store.entry(key)
    const name = nameOf(key)
    if (!this.checks.has(name)) this.checks.set(name, entry?.version)
    return entry?.value
  }

  list(range: { start: Uint8Array; end: Uint8Array; limit: number }): Promise<{ key: Buffer; value: Buffer }[]> {
    return this.#store.list(range)
  }

  requireEmpty(range: { readonly start: Uint8Array; readonly end: Uint8Array }): void {
    this.emptyRanges.push(range)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.writes.set(nameOf(key), Buffer.from(value))
  }

  delete(key: Uint8Array): void {
    this.writes.set(nameOf(key), undefined)
  }

  async putFile(location: string, bytes: Uint8Array, _contentType: string, { pinned = true }: { readonly pinned?: boolean } = {}): Promise<void> {
    this.#store.checkLocation(location)
    this.files.set(location, { content: [{ kind: 'own', bytes: Buffer.from(bytes) }], pinned })
  }

  async putParts(location: string, parts: readonly NewFilePart[], { sharedBy, pinned = true, onLinked }: PartsPut): Promise<void> {
    this.#store.checkLocation(location)
    const held = sharedBy === undefined ? [] : await this.#store.readParts(sharedBy)
    for (const part of parts) {
      if (part.kind !== 'shared') continue
      const isHeld = held.some((other) => other.kind === 'shared' && other.sharedId === part.sharedId && other.offset <= part.offset && part.offset + part.sizeBytes <= other.offset + other.sizeBytes)
      if (!isHeld) throw new CatalogStoreError('Unavailable', `${sharedBy} does not have what is shared`)
    }
    this.files.set(location, { content: parts, pinned })
    if (onLinked !== undefined) this.onLinked.set(location, onLinked)
  }

  async pinFile(location: string): Promise<void> {
    this.#store.checkLocation(location)
    this.pinned.set(location, this.#store.fileAt(location))
    this.pins.set(location, (this.pins.get(location) ?? 0) + 1)
  }

  async unpinFile(location: string): Promise<void> {
    this.#store.checkLocation(location)
    this.pins.set(location, (this.pins.get(location) ?? 0) - 1)
  }

  async deleteFile(location: string): Promise<void> {
    this.#store.checkLocation(location)
    this.files.set(location, undefined)
  }

  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void {
    this.events.push(event)
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

import { eachSnapshot } from './archive/each-snapshot.ts'
import { CatalogStoreError, type CatalogStore } from './catalog-store.ts'
import { CatalogError } from './errors.ts'
import { MetadataCache, readTableHead, readViewMetadata, type MetadataReader } from './metadata-cache.ts'
import { keyText, key, rangeOf } from './rows/keys.ts'
import { decodeRow, type PointerRow } from './rows/rows.ts'
import { readManifest, readManifestList, type ManifestFile, type ManifestFiles } from './scan/manifests.ts'

/**
 * - `lost`: metadata that a table or view points at cannot be read: it is pinned, so nobody can have deleted it.
 * - `wrong`: a table refers to a file that is not there, or is none of its kind. Clients write these files and can delete them.
 */
export interface CatalogFinding {
  readonly severity: 'lost' | 'wrong'
  /** The table or view: warehouse, namespace and name. */
  readonly subject: string
  readonly explanation: string
}

export interface CatalogCheck {
  /** Tables and views. */
  readonly tables: number
  readonly snapshots: number
  /** Manifest lists, manifests, data and delete files that are there. */
  readonly files: number
  /** Files in places that no warehouse has: another store's. */
  readonly elsewhere: number
  readonly findings: readonly CatalogFinding[]
}

const rowsPerChunk = 200
const cacheBytes = 32 * 1024 * 1024
/** Of what one catalog lacks, so much is told. */
const maxFindings = 10_000

/** Follows every table's and view's pointer: to its metadata, from each snapshot to manifest list, manifests, and the files that they name. Changes nothing. `isDamage`: an error of the store that says that bytes are damaged. */
export async function checkCatalog(store: CatalogStore, isDamage: (error: unknown) => boolean = () => false): Promise<CatalogCheck> {
  const check = new Check({ store, cache: new MetadataCache(cacheBytes) }, isDamage)
  for await (const { subject, pointer } of pointersOf(store, 't')) await check.table(subject, pointer)
  for await (const { subject, pointer } of pointersOf(store, 'v')) await check.view(subject, pointer)
  return check.result
}

class Check {
  readonly result = { tables: 0, snapshots: 0, files: 0, elsewhere: 0, findings: [] as CatalogFinding[] }
  readonly #reader: MetadataReader
  readonly #files: ManifestFiles
  /** Snapshots share most of their manifests. */
  readonly #manifests = new Set<string>()

  readonly #isDamage: (error: unknown) => boolean

  constructor(reader: MetadataReader, isDamage: (error: unknown) => boolean) {
    this.#reader = reader
    this.#files = { store: reader.store, within: undefined }
    this.#isDamage = isDamage
  }

  async table(subject: string, pointer: PointerRow): Promise<void> {
    this.result.tables++
    const head = await this.#readable(subject, 'lost', `its metadata ${pointer.metadataLocation}`, () => readTableHead(this.#reader, pointer))
    if (head === undefined) return
    await this.#readable(subject, 'lost', `the history in ${pointer.metadataLocation}`, async () => {
      for await (const snapshot of eachSnapshot(this.#reader, pointer)) {
        this.result.snapshots++
        const location = snapshot['manifest-list']
        if (location === undefined) continue
        const name = `the manifest list ${location} of snapshot ${snapshot['snapshot-id']}`
        const manifests = await this.#readable(subject, 'wrong', name, () => readManifestList(this.#files, snapshot))
        if (manifests === undefined) continue
        this.result.files++
        for (const manifest of manifests) await this.#manifest(subject, manifest)
      }
    })
  }

  async view(subject: string, pointer: PointerRow): Promise<void> {
    this.result.tables++
    await this.#readable(subject, 'lost', `its metadata ${pointer.metadataLocation}`, () => readViewMetadata(this.#reader, pointer))
  }

  async #manifest(subject: string, manifest: ManifestFile): Promise<void> {
    if (this.#manifests.has(manifest.path)) return
    this.#manifests.add(manifest.path)
    const entries = await this.#readable(subject, 'wrong', `the manifest ${manifest.path}`, () => readManifest(this.#files, manifest))
    if (entries === undefined) return
    this.result.files++
    for (const { status, file } of entries) {
      if (status === 'deleted') continue
      const name = `the ${file.content === 'data' ? 'data' : 'delete'} file ${file.path}`
      const isThere = await this.#readable(subject, 'wrong', name, () => this.#reader.store.fileExists(file.path))
      if (isThere === true) this.result.files++
      else if (isThere === false) this.#find({ severity: 'wrong', subject, explanation: `${name} does not exist` })
    }
  }

  /** Undefined, and a finding, when it cannot be read for what it is; files elsewhere are counted. */
  async #readable<T>(subject: string, severity: CatalogFinding['severity'], name: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (severity === 'wrong' && error instanceof CatalogStoreError && error.code === 'BadLocation') this.result.elsewhere++
      else if ((error instanceof CatalogStoreError && error.code === 'FileNotFound') || (error instanceof CatalogError && error.code === 'NotFound')) this.#find({ severity, subject, explanation: `${name} does not exist` })
      else if (error instanceof Error && (error instanceof CatalogStoreError || error instanceof CatalogError || this.#isDamage(error))) this.#find({ severity, subject, explanation: `${name} cannot be read: ${error.message}` })
      else throw error
      return undefined
    }
  }

  #find(finding: CatalogFinding): void {
    if (this.result.findings.length < maxFindings) this.result.findings.push(finding)
  }
}

async function* pointersOf(store: CatalogStore, kind: 't' | 'v'): AsyncGenerator<{ readonly subject: string; readonly pointer: PointerRow }> {
  const { start: first, end } = rangeOf(key(kind))
  let start = first
  for (;;) {
    const rows = await store.list({ start, end, limit: rowsPerChunk })
    for (const { key: rowKey, value } of rows) yield { subject: `${kind === 't' ? 'table' : 'view'} ${keyText(rowKey)}`, pointer: decodeRow<PointerRow>(value) }
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsPerChunk) return
    start = Buffer.concat([last.key, Buffer.of(0)])
  }
}

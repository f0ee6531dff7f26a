import type { Bucket, ListVersions, VersionListing } from '../engine.ts'
import { afterPrefix, boundRow, decodeKey, historyRange, keyEnd, keyRow, maxOrder, orderOfVersionId, tables } from '../keys.ts'
import type { KeyRange, MetadataReader, Row } from '../metadata/metadata-store.ts'
import { ContentionError } from '../metadata/transact.ts'
import { type HeadRecord, headFormat, toVersion, type VersionRecord, versionFormat } from '../records/version-record.ts'
import type { EngineContext } from './context.ts'
import { findBucket } from './key-state.ts'
import { commonPrefixEnd, type Grouping, groupingOf, startAfter } from './list-objects.ts'
import { RowCursor } from './row-cursor.ts'

const maxAttempts = 100

/**
 * ListObjectVersions: live heads, delete-marker heads and noncurrent versions, three tables in one
 * order, merged. The three are read one after the other, so a version that moves between them could
 * be missed or seen twice. Every change of a key's versions writes its head row: a page whose heads
 * did not change while it was read shows each key as it was at one time; another is read again.
 */
export async function listVersions(context: EngineContext, input: ListVersions): Promise<VersionListing> {
  const bucket = await findBucket(context.metadata, input.bucket)
  if (input.limit === 0) return { entries: [], truncated: false }
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const page = new VersionPage(context.metadata, bucket, input)
    const listing = await page.read()
    if (await page.isConsistent()) return listing
  }
  throw new ContentionError('the versions of a key changed each time they were listed')
}

/** The head rows that a page saw of one key: the versions of their rows. */
interface SeenKey {
  readonly key: string
  live: number | undefined
  marker: number | undefined
  hasHistory: boolean
}

class VersionPage {
  readonly #reader: MetadataReader
  readonly #bucketId: string
  readonly #input: ListVersions
  readonly #grouping: Grouping
  readonly #entries: VersionListing['entries'][number][] = []
  readonly #seen: SeenKey[] = []
  /** Versions of this key as new as this order, or newer, were on the pages before. */
  #resume: { readonly key: string; readonly order: number } | undefined

  constructor(reader: MetadataReader, bucket: Bucket, input: ListVersions) {
    this.#reader = reader
    this.#bucketId = bucket.bucketId
    this.#input = input
    this.#grouping = groupingOf(tables.object, bucket.bucketId, input.prefix ?? '', input.delimiter)
  }

  async read(): Promise<VersionListing> {
    const cursors = await this.#openCursors()
    for (;;) {
      const cursor = await leastOf(cursors)
      const row = cursor?.current
      if (cursor === undefined || row === undefined) return { entries: this.#entries, truncated: false }
      const groupEnd = commonPrefixEnd(this.#grouping, row.key)
      const shown = groupEnd === undefined ? this.#show(row) : { kind: 'commonPrefix' as const, prefix: decodeKey(row.key, groupEnd) }
      if (shown !== undefined && this.#entries.length === this.#input.limit) return { entries: this.#entries, truncated: true }
      if (shown !== undefined) this.#entries.push(shown)
      if (groupEnd === undefined) cursor.next()
      else for (const each of cursors) each.seek(inTable(each.table, afterPrefix(row.key.subarray(0, groupEnd))))
    }
  }

  /** Whether the head rows of all keys with a history are as they were seen. */
  async isConsistent(): Promise<boolean> {
    for (const { key, live, marker, hasHistory } of this.#seen) {
      if (!hasHistory && (live === undefined) !== (marker === undefined)) continue
      const [liveNow, markerNow] = await this.#heads(key)
      if (liveNow?.version !== live || markerNow?.version !== marker) return false
    }
    return true
  }

  async #openCursors(): Promise<TableCursor[]> {
    const { delimiter, limit, keyMarker } = this.#input
    const ranges = (await this.#resumeRanges()) ?? this.#rangesAfter(keyMarker)
    const expected = delimiter === undefined ? limit + 1 : undefined
    return ranges.map(({ table, range }) => new TableCursor(this.#reader, table, range, expected))
  }

  #rangesAfter(keyMarker: string | undefined): { table: number; range: KeyRange }[] {
    const { start, end } = startAfter(this.#grouping, keyMarker)
    return mergedTables.map((table) => ({ table, range: { start: inTable(table, start), end: inTable(table, end) } }))
  }

  /** Where to go on within the versions of `keyMarker`; undefined when they are not listed one by one. */
  async #resumeRanges(): Promise<{ table: number; range: KeyRange }[] | undefined> {
    const { keyMarker: key, versionIdMarker } = this.#input
    if (key === undefined || versionIdMarker === undefined) return undefined
    const stem = boundRow(tables.object, this.#bucketId, key)
    const { start, end } = this.#grouping.range
    if (Buffer.compare(stem, start) < 0 || Buffer.compare(stem, end) >= 0) return undefined
    if (commonPrefixEnd(this.#grouping, stem) !== undefined || Buffer.byteLength(key) > maxMarkerBytes) return undefined
    const [live, marker] = await this.#heads(key)
    const head = decodeHead(live ?? marker)
    const order = (versionIdMarker === 'null' ? nullOrderOf(head) : orderOfVersionId(versionIdMarker)) ?? maxOrder
    this.#resume = { key, order }
    this.#seen.push({ key, live: live?.version, marker: marker?.version, hasHistory: true })
    const history = { start: historyRange(this.#bucketId, key, order).start, end: inTable(tables.version, end) }
    return mergedTables.map((table) => ({
      table,
      range: table === tables.version ? history : { start: inTable(table, stem), end: inTable(table, end) },
    }))
  }

  /** The entry for a row; undefined when an earlier page had it. */
  #show(row: Row): VersionListing['entries'][number] | undefined {
    const isHead = row.key[0] !== tables.version
    const key = decodeKey(row.key, keyEnd(row.key))
    const head = isHead ? headFormat.decode(row.value) : undefined
    const version = head?.version ?? versionFormat.decode(row.value)
    this.#note(key, row, head)
    if (this.#resume?.key === key && version.order >= this.#resume.order) return undefined
    return { ...toVersion(key, version), isLatest: isHead }
  }

  #note(key: string, row: Row, head: HeadRecord | undefined): void {
    let seen = this.#seen[this.#seen.length - 1]
    if (seen?.key !== key) {
      seen = { key, live: undefined, marker: undefined, hasHistory: false }
      this.#seen.push(seen)
    }
    if (row.key[0] === tables.object) seen.live = row.version
    if (row.key[0] === tables.marker) seen.marker = row.version
    if (head === undefined || head.hasHistory) seen.hasHistory = true
  }

  async #heads(key: string) {
    const live = await this.#reader.get(keyRow(tables.object, this.#bucketId, key))
    const marker = await this.#reader.get(keyRow(tables.marker, this.#bucketId, key))
    return [live, marker] as const
  }
}

const mergedTables = [tables.object, tables.marker, tables.version] as const
const maxMarkerBytes = 1024

function decodeHead(row: { readonly value: Buffer } | undefined): HeadRecord | undefined {
  return row === undefined ? undefined : headFormat.decode(row.value)
}

function nullOrderOf(head: HeadRecord | undefined): VersionRecord['order'] | undefined {
  return head?.version.versionId === 'null' ? head.version.order : head?.nullOrder
}

class TableCursor extends RowCursor {
  readonly table: number

  constructor(reader: MetadataReader, table: number, range: KeyRange, expected: number | undefined) {
    super(reader, range, expected)
    this.table = table
  }
}

/** The cursor whose row comes first, whatever its table; a head row comes before its history. */
async function leastOf(cursors: readonly TableCursor[]): Promise<TableCursor | undefined> {
  let least: TableCursor | undefined
  let leastRow: Row | undefined
  for (const cursor of cursors) {
    const row = cursor.current ?? (await cursor.fetch())
    if (row === undefined || (leastRow !== undefined && compareKeys(row.key, leastRow.key) >= 0)) continue
    least = cursor
    leastRow = row
  }
  return least
}

function compareKeys(a: Buffer, b: Buffer): number {
  return a.compare(b, 1, b.length, 1, a.length)
}

/** The same place in another table. */
function inTable(table: number, row: Uint8Array): Buffer {
  const moved = Buffer.from(row)
  moved[0] = table
  return moved
}

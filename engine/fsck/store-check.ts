import type { BlobStore } from '../blobs/blob-store.ts'
import { BlobError } from '../blobs/blob-store.ts'
import { EngineError } from '../engine.ts'
import {
  contentRow,
  decodeKey,
  type Held,
  historyRange,
  keyEnd,
  keyRow,
  parseDueRow,
  parseReferenceRow,
  partNumberOf,
  referenceRow,
  tableRange,
  tables,
  uploadIdOf,
  versionRow,
} from '../keys.ts'
import { MetadataError, type MetadataStore, type Row } from '../metadata/metadata-store.ts'
import { referenceInUse } from '../objects/contents.ts'
import { layoutOffsetOf } from '../objects/layout.ts'
import { eventFormat } from '../outbox/append-event.ts'
import { bucketFormat } from '../records/bucket-record.ts'
import type { Content, SegmentContent } from '../records/content.ts'
import { layoutFormat, partFormat } from '../records/part-record.ts'
import { completedFormat, uploadFormat } from '../records/upload-record.ts'
import { type HeadRecord, headFormat, type VersionRecord, versionFormat } from '../records/version-record.ts'
import { ReportBuilder } from './report.ts'

const rowsPerChunk = 500

/**
 * One pass over every table of the engine and every stored blob, on stores that nobody writes to.
 * Ids of contents, layouts, uploads and blobs are kept in memory: about 100 bytes for each.
 */
export class StoreCheck {
  readonly report = new ReportBuilder()
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #readBytes: boolean
  readonly #bucketNames = new Map<string, string>()
  readonly #uploads = new Set<string>()
  readonly #dueUploads = new Set<string>()
  readonly #dueContents = new Set<string>()
  readonly #contents = new Set<string>()
  /** By layout: where its last segment ends. */
  readonly #layoutBytes = new Map<string, number>()
  /** Slices of layouts, by who has them: checked once all layouts are known. */
  readonly #slices: { readonly subject: string; readonly layoutId: string; readonly endBytes: number }[] = []
  readonly #storedBlobs = new Set<string>()
  readonly #referencedBlobs = new Set<string>()
  readonly #readBlobs = new Set<string>()

  constructor(metadata: MetadataStore, blobs: BlobStore, readBytes: boolean) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#readBytes = readBytes
  }

  async run(): Promise<void> {
    for await (const { blobId } of this.#blobs.list()) this.#storedBlobs.add(blobId)
    this.report.checked.blobs = this.#storedBlobs.size
    await this.#each(tables.bucket, (row) => this.#checkBucket(row))
    await this.#each(tables.due, (row) => this.#noteDue(row))
    await this.#each(tables.layout, (row) => this.#checkLayout(row))
    this.#checkSlices()
    await this.#each(tables.object, (row) => this.#checkHead(row))
    await this.#each(tables.marker, (row) => this.#checkHead(row))
    await this.#each(tables.version, (row) => this.#checkNoncurrent(row))
    await this.#each(tables.upload, (row) => this.#checkUpload(row))
    await this.#each(tables.part, (row) => this.#checkPart(row))
    await this.#each(tables.completed, (row) => void completedFormat.decode(row.value))
    await this.#each(tables.reference, (row) => this.#checkReference(row))
    await this.#each(tables.content, (row) => this.#checkContentRow(row))
    await this.#each(tables.outbox, (row) => this.#checkEvent(row))
    for (const blobId of this.#storedBlobs) {
      if (!this.#referencedBlobs.has(blobId)) this.report.find('garbage', 'BlobUnused', blobId, 'no row refers to the blob')
    }
  }

  /** Every row of a table; one that cannot be read is a finding. */
  async #each(table: number, check: (row: Row) => void | Promise<void>): Promise<void> {
    const { start: first, end } = tableRange(table)
    let start = first
    let limit = rowsPerChunk
    for (;;) {
      let rows: Row[]
      try {
        rows = await this.#metadata.list({ start, end, limit })
      } catch (error) {
        if (!(error instanceof MetadataError && error.code === 'Corrupt')) throw error
        if (limit > 1) {
          limit = 1
          continue
        }
        this.report.find('lost', 'RowUnreadable', String.fromCharCode(table), error.message)
        return
      }
      for (const row of rows) await this.#checked(row, check)
      const last = rows[rows.length - 1]
      if (last === undefined || rows.length < limit) return
      start = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  async #checked(row: Row, check: (row: Row) => void | Promise<void>): Promise<void> {
    try {
      await check(row)
    } catch (error) {
      if (!(error instanceof EngineError && error.code === 'Corrupt')) throw error
      this.report.find('lost', 'RowMalformed', row.key.toString('hex'), error.message)
    }
  }

  #checkBucket(row: Row): void {
    this.#bucketNames.set(bucketFormat.decode(row.value).bucketId, row.key.toString('utf8', 1))
    this.report.checked.buckets++
  }

  #noteDue(row: Row): void {
    const work = parseDueRow(row.key)
    if (work.kind === 'release') this.#dueContents.add(work.contentId)
    else if (work.kind === 'upload') this.#dueUploads.add(work.uploadId)
  }

  async #checkLayout(row: Row): Promise<void> {
    const layoutId = row.key.toString('hex', 1, 17)
    const offset = layoutOffsetOf(row.key)
    const segments = layoutFormat.decode(row.value)
    const before = this.#layoutBytes.get(layoutId) ?? 0
    if (before !== offset) this.report.find('lost', 'BytesMissing', `layout ${layoutId}`, `there are no segments from ${before} to ${offset}`)
    this.#layoutBytes.set(layoutId, segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, offset))
    for (const segment of segments) await this.#checkSegment(`layout ${layoutId}`, segment.content, segment.sizeBytes)
  }

  #checkSlices(): void {
    for (const { subject, layoutId, endBytes } of this.#slices) {
      const layoutBytes = this.#layoutBytes.get(layoutId)
      if (layoutBytes === undefined) this.report.find('lost', 'BytesMissing', subject, `the layout ${layoutId} that it shares does not exist`)
      else if (layoutBytes < endBytes) this.report.find('lost', 'BytesMissing', subject, `the layout ${layoutId} ends before what it shares`)
    }
  }

  // ---- keys and versions

  async #checkHead(row: Row): Promise<void> {
    const { subject, bucketId, key } = this.#placeOf(row)
    const head = headFormat.decode(row.value)
    const isObjectTable = row.key[0] === tables.object
    this.report.checked.keys++
    if (isObjectTable !== (head.version.kind === 'object')) this.report.find('wrong', 'HistoryWrong', subject, 'the head row is in the wrong table')
    if (isObjectTable && (await this.#metadata.get(keyRow(tables.marker, bucketId, key))) !== undefined) {
      this.report.find('wrong', 'HistoryWrong', subject, 'the key has two head rows')
    }
    await this.#checkHistoryOf(subject, bucketId, key, head)
    await this.#checkVersion(subject, head.version)
  }

  async #checkHistoryOf(subject: string, bucketId: string, key: string, head: HeadRecord): Promise<void> {
    const [newest] = await this.#metadata.list({ ...historyRange(bucketId, key), limit: 1 })
    if (head.hasHistory !== (newest !== undefined)) this.report.find('wrong', 'HistoryWrong', subject, `hasHistory is ${head.hasHistory}`)
    if (newest !== undefined && versionFormat.decode(newest.value).order >= head.version.order) {
      this.report.find('wrong', 'HistoryWrong', subject, 'a noncurrent version is newer than the latest')
    }
    if (head.nullOrder === undefined) return
    const nullRow = await this.#metadata.get(versionRow(bucketId, key, head.nullOrder))
    if (nullRow === undefined || versionFormat.decode(nullRow.value).versionId !== 'null') {
      this.report.find('wrong', 'HistoryWrong', subject, 'the null version is not where the head row says')
    }
  }

  async #checkNoncurrent(row: Row): Promise<void> {
    const { subject, bucketId, key } = this.#placeOf(row)
    const version = versionFormat.decode(row.value)
    const live = await this.#metadata.get(keyRow(tables.object, bucketId, key))
    const stored = live ?? (await this.#metadata.get(keyRow(tables.marker, bucketId, key)))
    const head = stored === undefined ? undefined : headFormat.decode(stored.value)
    if (head === undefined) this.report.find('lost', 'RowStray', subject, 'a noncurrent version whose key has no latest one')
    if (version.versionId === 'null' && head !== undefined && head.nullOrder !== version.order) {
      this.report.find('wrong', 'HistoryWrong', subject, 'a null version that the head row does not know')
    }
    await this.#checkVersion(subject, version)
  }

  async #checkVersion(subject: string, version: VersionRecord): Promise<void> {
    this.report.checked.versions++
    if (version.kind === 'deleteMarker') return
    this.report.checked.bytes += version.sizeBytes
    await this.#checkContent(`${subject}?${version.versionId}`, version.content, version.sizeBytes)
  }

  /** What a row of a key table is about; a finding when its bucket is not there. */
  #placeOf(row: Row): { readonly subject: string; readonly bucketId: string; readonly key: string } {
    const bucketId = row.key.toString('hex', 1, 9)
    const key = decodeKey(row.key, keyEnd(row.key))
    const name = this.#bucketNames.get(bucketId)
    const subject = `${name ?? bucketId}/${key}`
    if (name === undefined) this.report.find('lost', 'RowStray', subject, 'its bucket does not exist')
    return { subject, bucketId, key }
  }

  // ---- uploads

  #checkUpload(row: Row): void {
    this.#placeOf(row)
    void uploadFormat.decode(row.value)
    this.#uploads.add(uploadIdOf(row.key))
    this.report.checked.uploads++
  }

  async #checkPart(row: Row): Promise<void> {
    const uploadId = row.key.toString('hex', 1, 17)
    const part = partFormat.decode(row.value)
    const subject = `upload ${uploadId} part ${partNumberOf(row.key)}`
    this.report.checked.parts++
    if (!this.#uploads.has(uploadId) && !this.#dueUploads.has(uploadId)) this.report.find('garbage', 'RowStray', subject, 'its upload does not exist')
    await this.#checkSegment(subject, part.content, part.sizeBytes)
  }

  // ---- bytes and who holds them

  async #checkContent(subject: string, content: Content, sizeBytes: number): Promise<void> {
    if (content.kind !== 'segments') return this.#checkSegment(subject, content, sizeBytes)
    this.#contents.add(content.contentId)
    const layoutBytes = this.#layoutBytes.get(content.layoutId)
    if (layoutBytes === undefined) this.report.find('lost', 'BytesMissing', subject, 'its layout does not exist')
    else if (layoutBytes < sizeBytes) this.report.find('lost', 'BytesMissing', subject, 'its layout ends before it does')
    await this.#checkHeld(subject, { kind: 'layout', layoutId: content.layoutId }, content.contentId)
  }

  async #checkSegment(subject: string, content: SegmentContent, sizeBytes: number): Promise<void> {
    if (content.kind === 'empty') {
      if (sizeBytes !== 0) this.report.find('wrong', 'SizeWrong', subject, `it has no bytes but a size of ${sizeBytes}`)
      return
    }
    this.#contents.add(content.contentId)
    if (content.kind === 'inline') {
      const row = await this.#metadata.get(contentRow(content.contentId))
      if (row === undefined) this.report.find('lost', 'BytesMissing', subject, 'its content row does not exist')
      else if (row.value.length !== sizeBytes) this.report.find('lost', 'SizeWrong', subject, `${row.value.length} bytes of ${sizeBytes} are there`)
      return
    }
    if (content.kind === 'slice') {
      this.#slices.push({ subject, layoutId: content.layoutId, endBytes: content.offset + sizeBytes })
      return this.#checkHeld(subject, { kind: 'layout', layoutId: content.layoutId }, content.contentId)
    }
    const { blob } = content
    if (blob.sizeBytes !== sizeBytes) this.report.find('wrong', 'SizeWrong', subject, `its blob has ${blob.sizeBytes} bytes of ${sizeBytes}`)
    if (!this.#storedBlobs.has(blob.blobId)) this.report.find('lost', 'BytesMissing', subject, `blob ${blob.blobId} does not exist`)
    else if (this.#readBytes) await this.#readBlob(subject, content)
    await this.#checkHeld(subject, { kind: 'blob', blobId: blob.blobId }, content.contentId)
  }

  async #readBlob(subject: string, { blob }: Extract<SegmentContent, { readonly kind: 'blob' }>): Promise<void> {
    if (this.#readBlobs.has(blob.blobId)) return
    this.#readBlobs.add(blob.blobId)
    try {
      let sizeBytes = 0
      for await (const bytes of this.#blobs.read(blob, { offset: 0, length: blob.sizeBytes })) sizeBytes += bytes.length
      if (sizeBytes !== blob.sizeBytes) this.report.find('lost', 'SizeWrong', subject, `blob ${blob.blobId} has ${sizeBytes} bytes of ${blob.sizeBytes}`)
    } catch (error) {
      if (!(error instanceof BlobError)) throw error
      this.report.find('lost', 'BytesCorrupt', subject, `blob ${blob.blobId}: ${error.message}`)
    }
  }

  async #checkHeld(subject: string, held: Held, contentId: string): Promise<void> {
    const reference = await this.#metadata.get(referenceRow(held, contentId))
    if (reference === undefined) this.report.find('wrong', 'ReferenceMissing', subject, 'its bytes have no reference row')
    else if (!reference.value.equals(referenceInUse)) this.report.find('wrong', 'ReferenceMissing', subject, 'its bytes are marked as dropped')
  }

  #checkReference(row: Row): void {
    const { held, contentId } = parseReferenceRow(row.key)
    const subject = held.kind === 'blob' ? held.blobId : `layout ${held.layoutId}`
    if (held.kind === 'blob') this.#referencedBlobs.add(held.blobId)
    if (row.value.equals(referenceInUse)) {
      if (!this.#contents.has(contentId)) this.report.find('garbage', 'ReferenceUnused', subject, `nothing is content ${contentId}`)
    } else if (this.#dueContents.has(contentId)) this.report.awaitingCollection++
    else this.report.find('garbage', 'ReferenceUnused', subject, `content ${contentId} was dropped and is not due for collection`)
  }

  #checkContentRow(row: Row): void {
    const contentId = row.key.toString('hex', 1)
    if (!this.#contents.has(contentId)) this.report.find('garbage', 'ReferenceUnused', contentId, 'nothing has these inline bytes')
  }

  #checkEvent(row: Row): void {
    void eventFormat.decode(row.value)
    this.report.checked.events++
  }
}

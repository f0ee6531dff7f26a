import { assert } from '../base/assert.ts'
import type { KeyRange } from './metadata/metadata-store.ts'

/**
 * The engine's key space; docs/adr/0002-key-space.md says why it looks like this.
 *
 * A row's key is one table byte, then fixed-width parts and at most one string. An object key is
 * written as its UTF-8 bytes, each plus one: UTF-8 never holds 0xFF, so nothing expands, byte order
 * is kept, and 0x00 is free to end the key. Object rows of one bucket are therefore in the order
 * S3 lists them, and everything about one key is adjacent within its table.
 */
export const tables = {
  /** `<name>`: buckets. */
  bucket: 0x62, // b
  /** `<contentId>`: bytes of small objects and parts. */
  content: 0x64, // d
  /** `<commit version, index>`: events. */
  outbox: 0x65, // e
  /** `<dueMs><kind><what>`: work for the collector. */
  due: 0x67, // g
  /** `<consumer>`: how far a consumer of the outbox has read. */
  cursor: 0x6b, // k
  /** `<layoutId><offset>`: segments of objects made of parts. */
  layout: 0x6c, // l
  /** `<bucketId><key>0`: head rows of keys whose latest version is a delete marker. */
  marker: 0x6d, // m
  /** `<bucketId><name>`: a bucket's configuration documents. */
  document: 0x6e, // n
  /** `<bucketId><key>0`: head rows of keys whose latest version is an object. */
  object: 0x6f, // o
  /** `<uploadId><partNumber>`: parts of uploads under way. */
  part: 0x70, // p
  /** `<what it holds><contentId>`: who holds a blob or a layout. */
  reference: 0x72, // r
  /** The outbox's own count. */
  outboxState: 0x74, // t
  /** `<set>`: a set of drives that blobs are moved off. */
  set: 0x73, // s
  /** `<blobId>`: where its bytes were moved. */
  moved: 0x77, // w
  /** `<bucketId><key>0<uploadId>`: uploads under way. */
  upload: 0x75, // u
  /** `s`, `b<bucketId>`, `o<owner>`: what is stored, counted. */
  usage: 0x79, // y
  /** `<bucketId><key>0<order, newest first>`: noncurrent versions. */
  version: 0x76, // v
  /** Rows of the adapters. */
  extension: 0x78, // x
  /** `<uploadId>`: completed uploads. */
  completed: 0x63, // c
} as const

/** An order stamp: microseconds since the epoch, raised where needed to grow with each version of a key. */
export const maxOrder = Number.MAX_SAFE_INTEGER
export const maxObjectKeyBytes = 1024
export const idBytes = 16

const bucketIdBytes = 8
const orderBytes = 8
const keyStart = 1 + bucketIdBytes

// ---- buckets and their documents

export function bucketRow(name: string): Buffer {
  return named(tables.bucket, name)
}

/** Buckets whose name starts with `prefix` and is greater than `after`. */
export function bucketRange(prefix: string, after: string | undefined): KeyRange {
  const start = bucketRow(prefix)
  const past = after === undefined ? start : Buffer.concat([bucketRow(after), Buffer.of(0)])
  return { start: Buffer.compare(past, start) > 0 ? past : start, end: afterPrefix(start) }
}

export function documentRow(bucketId: string, name: string): Buffer {
  return Buffer.concat([bucketScope(tables.document, bucketId), Buffer.from(name)])
}

export function documentRange(bucketId: string): KeyRange {
  const start = bucketScope(tables.document, bucketId)
  return { start, end: afterPrefix(start) }
}

/** Everything of one table that belongs to a bucket. */
export function bucketScopeRange(table: number, bucketId: string): KeyRange {
  const start = bucketScope(table, bucketId)
  return { start, end: afterPrefix(start) }
}

// ---- object keys

export type KeyTable = typeof tables.object | typeof tables.marker | typeof tables.version | typeof tables.upload

/** `<table><bucketId><key>0`, the row of a head and the stem of the others. */
export function keyRow(table: KeyTable, bucketId: string, key: string, suffixBytes = 0): Buffer {
  const keyBytes = Buffer.byteLength(key)
  assert(keyBytes <= maxObjectKeyBytes, 'an object key is at most 1,024 bytes long')
  const row = Buffer.allocUnsafe(keyStart + keyBytes + 1 + suffixBytes)
  row[0] = table
  row.write(bucketId, 1, bucketIdBytes, 'hex')
  row.write(key, keyStart, 'utf8')
  for (let at = keyStart; at < keyStart + keyBytes; at++) row[at] = (row[at] ?? 0) + 1
  row[keyStart + keyBytes] = 0
  return row
}

export function versionRow(bucketId: string, key: string, order: number): Buffer {
  const row = keyRow(tables.version, bucketId, key, orderBytes)
  writeUint64(row, maxOrder - order, row.length - orderBytes)
  return row
}

/** Noncurrent versions of a key that are older than `order`, newest first. */
export function historyRange(bucketId: string, key: string, order = maxOrder): KeyRange {
  const stem = keyRow(tables.version, bucketId, key)
  const start = order === maxOrder ? stem : versionRow(bucketId, key, order - 1)
  return { start, end: afterKey(stem) }
}

export function uploadRow(bucketId: string, key: string, uploadId: string): Buffer {
  const row = keyRow(tables.upload, bucketId, key, idBytes)
  row.write(uploadId, row.length - idBytes, 'hex')
  return row
}

/** Rows of the table whose object key starts with `prefix`. */
export function prefixRange(table: KeyTable, bucketId: string, prefix: string): KeyRange {
  const stem = boundRow(table, bucketId, prefix)
  const start = stem.subarray(0, stem.length - 1)
  return { start, end: afterPrefix(start) }
}

/** As `keyRow`, for a prefix or a marker of any length: beyond the longest key its bytes no longer matter. */
export function boundRow(table: KeyTable, bucketId: string, text: string): Buffer {
  return Buffer.concat([bucketScope(table, bucketId), encodeText(text).subarray(0, maxObjectKeyBytes + 1), Buffer.of(0)])
}

/** The first row key after all rows of one object key, given its `keyRow`. */
export function afterKey(stem: Buffer): Buffer {
  const next = Buffer.from(stem)
  next[next.length - 1] = 1
  return next
}

/** The object key in a row of one of the key tables; `suffixBytes` follow its end. */
export function objectKeyOf(row: Buffer, suffixBytes = 0): string {
  return decodeKey(row, row.length - suffixBytes - 1)
}

/** The text that the row's bytes up to `end` stand for: a key, or the beginning of one. */
export function decodeKey(row: Buffer, end: number): string {
  const bytes = Buffer.allocUnsafe(end - keyStart)
  for (let at = keyStart; at < end; at++) bytes[at - keyStart] = (row[at] ?? 1) - 1
  return bytes.toString('utf8')
}

/** Where the key ends in a version or upload row, or a head row: the place of its 0x00. */
export function keyEnd(row: Buffer): number {
  return row.indexOf(0, keyStart)
}

/** `text` as it appears inside the rows of key tables. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) + 1
  return bytes
}

export const versionSuffixBytes = orderBytes
export const uploadSuffixBytes = idBytes

export function uploadIdOf(row: Buffer): string {
  return row.toString('hex', row.length - idBytes)
}

// ---- version ids and upload ids

const idPattern = /^[0-9a-f]{32}$/
const orderDigits = 14

/** 32 hex digits that sort newest first; they hold the order stamp, so an id leads to its row. */
export function versionIdFrom(order: number, tail: Uint8Array): string {
  return idFrom(maxOrder - order, tail)
}

/** The order stamp in a version id; undefined for what is not a version id of ours. */
export function orderOfVersionId(versionId: string): number | undefined {
  if (!idPattern.test(versionId)) return undefined
  const order = maxOrder - Number.parseInt(versionId.slice(0, orderDigits), 16)
  return order >= 0 ? order : undefined
}

/** 32 hex digits that sort by initiation. */
export function uploadIdFrom(order: number, tail: Uint8Array): string {
  return idFrom(order, tail)
}

export function isUploadId(uploadId: string): boolean {
  return idPattern.test(uploadId)
}

export const idTailBytes = 9

function idFrom(stamp: number, tail: Uint8Array): string {
  assert(tail.length === idTailBytes, 'an id has nine random bytes')
  return stamp.toString(16).padStart(orderDigits, '0') + hexOf(tail)
}

// ---- contents, layouts, references

export function contentRow(contentId: string): Buffer {
  return identified(tables.content, contentId)
}

export function layoutRow(layoutId: string, offset: number): Buffer {
  const row = Buffer.allocUnsafe(1 + idBytes + 8)
  row[0] = tables.layout
  row.write(layoutId, 1, idBytes, 'hex')
  writeUint64(row, offset, 1 + idBytes)
  return row
}

export function layoutRange(layoutId: string): KeyRange {
  const start = identified(tables.layout, layoutId)
  return { start, end: afterPrefix(start) }
}

/** What a reference row holds on to. */
export type Held = { readonly kind: 'blob'; readonly blobId: string } | { readonly kind: 'layout'; readonly layoutId: string }

const blobKind = 0x42 // B
const layoutKind = 0x4c // L
const uploadKind = 0x55 // U
const completedKind = 0x43 // C
const blobIdBytes = 26

export function referenceRow(held: Held, contentId: string): Buffer {
  return Buffer.concat([Buffer.of(tables.reference), heldBytes(held), Buffer.from(contentId, 'hex')])
}

export function referenceRange(held: Held): KeyRange {
  const start = Buffer.concat([Buffer.of(tables.reference), heldBytes(held)])
  return { start, end: afterPrefix(start) }
}

export function parseReferenceRow(row: Buffer): { readonly held: Held; readonly contentId: string } {
  const { held, end } = parseHeld(row, 1)
  return { held, contentId: row.toString('hex', end) }
}

function heldBytes(held: Held): Buffer {
  if (held.kind === 'blob') {
    assert(held.blobId.length === blobIdBytes, 'a blob id has 26 characters')
    return Buffer.concat([Buffer.of(blobKind), Buffer.from(held.blobId, 'latin1')])
  }
  return Buffer.concat([Buffer.of(layoutKind), Buffer.from(held.layoutId, 'hex')])
}

function parseHeld(row: Buffer, at: number): { readonly held: Held; readonly end: number } {
  const start = at + 1
  if (row[at] === blobKind) {
    const end = start + blobIdBytes
    return { held: { kind: 'blob', blobId: row.toString('latin1', start, end) }, end }
  }
  const end = start + idBytes
  return { held: { kind: 'layout', layoutId: row.toString('hex', start, end) }, end }
}

// ---- work that falls due

export type DueWork =
  /** A dropped holder of a blob or a layout. */
  | { readonly kind: 'release'; readonly held: Held; readonly contentId: string }
  /** The parts of an aborted upload. */
  | { readonly kind: 'upload'; readonly uploadId: string }
  /** The memory of a completed upload. */
  | { readonly kind: 'completed'; readonly uploadId: string }

export function dueRow(dueMs: number, work: DueWork): Buffer {
  const head = Buffer.allocUnsafe(9)
  head[0] = tables.due
  writeUint64(head, dueMs, 1)
  if (work.kind === 'release') return Buffer.concat([head, heldBytes(work.held), Buffer.from(work.contentId, 'hex')])
  const kind = work.kind === 'upload' ? uploadKind : completedKind
  return Buffer.concat([head, Buffer.of(kind), Buffer.from(work.uploadId, 'hex')])
}

/** Work due at `nowMs` or before. */
export function dueRange(nowMs: number): KeyRange {
  const end = Buffer.allocUnsafe(9)
  end[0] = tables.due
  writeUint64(end, nowMs + 1, 1)
  return { start: Buffer.of(tables.due), end }
}

export function parseDueRow(row: Buffer): DueWork {
  const kind = row[9]
  if (kind === uploadKind) return { kind: 'upload', uploadId: row.toString('hex', 10) }
  if (kind === completedKind) return { kind: 'completed', uploadId: row.toString('hex', 10) }
  const { held, end } = parseHeld(row, 9)
  return { kind: 'release', held, contentId: row.toString('hex', end) }
}

// ---- uploads

export function partRow(uploadId: string, partNumber: number): Buffer {
  const row = Buffer.allocUnsafe(1 + idBytes + 2)
  row[0] = tables.part
  row.write(uploadId, 1, idBytes, 'hex')
  row.writeUInt16BE(partNumber, 1 + idBytes)
  return row
}

/** Parts with a number greater than `after`. */
export function partRange(uploadId: string, after = 0): KeyRange {
  return { start: partRow(uploadId, Math.min(after + 1, 0xffff)), end: afterPrefix(identified(tables.part, uploadId)) }
}

export function partNumberOf(row: Buffer): number {
  return row.readUInt16BE(1 + idBytes)
}

export function completedRow(uploadId: string): Buffer {
  return identified(tables.completed, uploadId)
}

// ---- usage

export const usageStateRow: Buffer = Buffer.of(tables.usage, 0x73) // s

export function bucketUsageRow(bucketId: string): Buffer {
  return Buffer.concat([Buffer.of(tables.usage, 0x62), Buffer.from(bucketId, 'hex')]) // b
}

export function ownerUsageRow(ownerId: string): Buffer {
  return Buffer.concat([Buffer.of(tables.usage, 0x6f), Buffer.from(ownerId)]) // o
}

/** The bucket that a row of objects, versions or uploads belongs to. */
export function bucketIdOf(row: Buffer): string {
  return row.toString('hex', 1, keyStart)
}

// ---- outbox and extensions

export const outboxPrefix: Buffer = Buffer.of(tables.outbox)
export const outboxStateRow: Buffer = Buffer.of(tables.outboxState)

export function cursorRow(consumer: string): Buffer {
  return named(tables.cursor, consumer)
}

export function extensionRow(key: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(1 + key.length)
  row[0] = tables.extension
  row.set(key, 1)
  return row
}

// ---- sets of drives

export function setRow(set: number): Buffer {
  const row = Buffer.of(tables.set, 0, 0)
  row.writeUInt16BE(set, 1)
  return row
}

export function setOfRow(row: Buffer): number {
  return row.readUInt16BE(1)
}

export function movedRow(blobId: string): Buffer {
  return named(tables.moved, blobId)
}

// ---- bytes

/** Every row of a table. */
export function tableRange(table: number): KeyRange {
  return { start: Buffer.of(table), end: Buffer.of(table + 1) }
}

function named(table: number, name: string): Buffer {
  return Buffer.concat([Buffer.of(table), Buffer.from(name)])
}

function identified(table: number, id: string): Buffer {
  const row = Buffer.allocUnsafe(1 + idBytes)
  row[0] = table
  row.write(id, 1, idBytes, 'hex')
  return row
}

function bucketScope(table: number, bucketId: string): Buffer {
  const row = Buffer.allocUnsafe(keyStart)
  row[0] = table
  row.write(bucketId, 1, bucketIdBytes, 'hex')
  return row
}

/** The end of the range of everything that starts with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0
    if (byte < 0xff) {
      end[at] = byte + 1
      return end.subarray(0, at + 1)
    }
  }
  return Buffer.of(0xff)
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function writeUint64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at)
  target.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}

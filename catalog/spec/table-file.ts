import { assert } from '../../base/assert.ts'
import type { FilePart, NewFilePart } from '../catalog-store.ts'
import { asObject } from '../json/decode.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { decodeUtf8, parseJson } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import { itemSeparator, itemsText } from '../json/value-text.ts'
import { piecesOf, type ArchivedRun, type History } from './history.ts'
import { decodeTableMetadata, type TableMetadata } from './table-metadata.ts'
import { lastUnreferenced, referencedIds, stringifyTableMetadata, textAround } from './table-text.ts'

/**
 * The metadata file in parts (docs/adr/0004-metadata-in-parts.md): what changes is the file's own,
 * long runs of old snapshots and log entries are shared with the versions before.
 */
export interface TableFile {
  readonly parts: readonly NewFilePart[]
  readonly sizeBytes: number
  /** What is the file's own: what is written, and what a reader of the head parses. */
  readonly ownBytes: number
  /** The metadata as the file's reader has it; undefined where that depends on where sealed items are put. */
  readonly head: TableMetadata | undefined
}

/** A balance: less is more segments to read for a whole load, more is more bytes for a commit. */
const defaultOwnListBytes = 8 * 1024

/** The file of `metadata`. What of the newest snapshots is longer than `ownListBytes` is sealed, and half as long a log. Pure. */
export function planTableFile(metadata: TableMetadata, ownListBytes = defaultOwnListBytes): TableFile {
  const snapshots = { items: metadata.snapshots, runs: metadata.archived?.snapshots ?? [] }
  const log = { items: metadata['snapshot-log'], runs: metadata.archived?.['snapshot-log'] ?? [] }
  const referenced = referencedIds(metadata.refs)
  const last = snapshots.items.length - 1
  const sealedSnapshots = sealable(snapshots, ownListBytes, (snapshot, index) => index < last && !referenced.has(snapshot['snapshot-id']))
  // The entry that bounds the log of the `refs` representation stays.
  const bound = lastUnreferenced(metadata)
  const sealedLog = sealable(log, ownListBytes / 2, (_, index) => index < bound)
  const sealed = sealedSnapshots.size + sealedLog.size > 0
  if (!sealed && snapshots.runs.length + log.runs.length === 0) return wholeFile(metadata)
  const { before, between, after } = textAround(metadata)
  const file = new PartsBuilder()
  file.own(before)
  const snapshotRuns = writeList(file, snapshots, sealedSnapshots)
  file.own(between)
  const logRuns = writeList(file, log, sealedLog)
  file.own(after)
  const head = sealed ? undefined : { ...metadata, archived: { snapshots: snapshotRuns, 'snapshot-log': logRuns } }
  return { ...file.finish(), head }
}

function wholeFile(metadata: TableMetadata): TableFile {
  const bytes = Buffer.from(stringifyTableMetadata(metadata), 'utf8')
  return { parts: [{ kind: 'own', bytes }], sizeBytes: bytes.length, ownBytes: bytes.length, head: metadata }
}

/** Which items after the last run become shareable: none until they are long enough. */
function sealable<T extends object>({ items, runs }: History<T>, minBytes: number, maySeal: (item: T, index: number) => boolean): ReadonlySet<object> {
  const first = runs.at(-1)?.before ?? 0
  const tail = first === 0 ? items : items.slice(first)
  if (itemsText(tail).length <= minBytes) return nothingSealed
  return new Set(tail.filter((item, index) => maySeal(item, first + index)))
}

const nothingSealed: ReadonlySet<object> = new Set()

/** Returns the list's runs with their places in the new file. */
function writeList<T extends object>(file: PartsBuilder, history: History<T>, sealed: ReadonlySet<object>): readonly ArchivedRun[] {
  if (sealed.size === 0 && history.runs.every(({ before }) => before === 0)) return writeTail(file, history)
  let sealing: string[] = []
  let written: 'nothing' | 'items' | 'shared' = 'nothing'
  const runs: ArchivedRun[] = []
  const separate = (): void => {
    if (written !== 'nothing') file.own(itemSeparator)
  }
  const seal = (): void => {
    if (sealing.length === 0) return
    const text = sealing.join(itemSeparator)
    sealing = []
    // Right behind shared bytes: they may become one run, so the separator is shared too.
    if (written !== 'shared') separate()
    file.shareable(written === 'shared' ? `${itemSeparator}${text}` : text)
    written = 'shared'
  }
  let before = 0
  for (const piece of piecesOf(history)) {
    if (piece.kind === 'item' && sealed.has(piece.item)) sealing.push(stringifyJson(piece.item as Json))
    else {
      seal()
      separate()
      if (piece.kind === 'item') file.own(stringifyJson(piece.item as Json))
      else runs.push({ ...piece.run, before, fileOffset: file.shared(piece.run) })
      written = piece.kind === 'item' ? 'items' : 'shared'
    }
    if (piece.kind === 'item') before++
  }
  seal()
  return runs
}

/** The usual list: runs, then what is new. */
function writeTail<T extends object>(file: PartsBuilder, { items, runs }: History<T>): readonly ArchivedRun[] {
  const placed = runs.map((run, index) => {
    if (index > 0) file.own(itemSeparator)
    return { ...run, fileOffset: file.shared(run) }
  })
  if (items.length > 0) {
    if (runs.length > 0) file.own(itemSeparator)
    file.own(itemsText(items))
  }
  return placed
}

class PartsBuilder {
  readonly #parts: NewFilePart[] = []
  readonly #texts: string[] = []
  #sizeBytes = 0
  #ownBytes = 0

  own(text: string): void {
    this.#texts.push(text)
  }

  shareable(text: string): void {
    this.#flush()
    this.#add({ kind: 'shareable', bytes: Buffer.from(text, 'utf8') })
  }

  /** The run's place in the file. */
  shared({ sharedId, offset, sizeBytes }: Pick<ArchivedRun, 'sharedId' | 'offset' | 'sizeBytes'>): number {
    this.#flush()
    const fileOffset = this.#sizeBytes
    this.#parts.push({ kind: 'shared', sharedId, offset, sizeBytes })
    this.#sizeBytes += sizeBytes
    return fileOffset
  }

  finish(): Omit<TableFile, 'head'> {
    this.#flush()
    return { parts: this.#parts, sizeBytes: this.#sizeBytes, ownBytes: this.#ownBytes }
  }

  #flush(): void {
    if (this.#texts.length === 0) return
    this.#ownBytes += this.#add({ kind: 'own', bytes: Buffer.from(this.#texts.join(''), 'utf8') })
    this.#texts.length = 0
  }

  #add(part: Exclude<NewFilePart, { readonly kind: 'shared' }>): number {
    this.#parts.push(part)
    this.#sizeBytes += part.bytes.length
    return part.bytes.length
  }
}

/** In the place of a run, so that the own parts are JSON text. No item has this member. */
const placeholder = 'archived run'

/** The metadata of a file in parts that we wrote, runs and all. */
export function decodeTableFile(parts: readonly FilePart[], newUuid: () => string): TableMetadata {
  const runs: Omit<ArchivedRun, 'before'>[] = []
  let text = ''
  let fileOffset = 0
  let isShared = false
  for (const part of parts) {
    const sizeBytes = part.kind === 'own' ? part.bytes.length : part.sizeBytes
    if (part.kind === 'own') text += decodeUtf8(part.bytes)
    else {
      // Shared bytes that could not join those before them begin with the separator.
      const skipped = isShared ? itemSeparator.length : 0
      if (isShared) text += itemSeparator
      text += `{"${placeholder}":${runs.length}}`
      const { sharedId, offset } = part
      runs.push({ sharedId, offset: offset + skipped, sizeBytes: sizeBytes - skipped, fileOffset: fileOffset + skipped })
    }
    isShared = part.kind === 'shared'
    fileOffset += sizeBytes
  }
  const source = asObject(parseJson(text), 'table metadata')
  const snapshots = withoutPlaceholders(source, 'snapshots', runs)
  const log = withoutPlaceholders(source, 'snapshot-log', runs)
  assert(snapshots.runs.length + log.runs.length === runs.length, 'runs of a metadata file are in its long lists')
  const metadata = decodeTableMetadata({ ...source, snapshots: snapshots.items, 'snapshot-log': log.items }, newUuid)
  return { ...metadata, archived: { snapshots: snapshots.runs, 'snapshot-log': log.runs } }
}

function withoutPlaceholders(source: JsonObject, member: 'snapshots' | 'snapshot-log', all: readonly Omit<ArchivedRun, 'before'>[]): History<Json> {
  const list = source[member]
  const items: Json[] = []
  const runs: ArchivedRun[] = []
  for (const item of Array.isArray(list) ? (list as readonly Json[]) : []) {
    const index = typeof item === 'object' && item !== null && placeholder in item ? item[placeholder] : undefined
    const run = typeof index === 'number' ? all[index] : undefined
    if (run === undefined) items.push(item)
    else runs.push({ ...run, before: items.length })
  }
  return { items, runs }
}

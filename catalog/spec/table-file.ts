import { assert, must } from '../../base/assert.ts'
import type { FilePart, NewFilePart, SharedBytes } from '../catalog-store.ts'
import { asObject } from '../json/decode.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { decodeUtf8, parseJson } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import { itemSeparator, itemsText } from '../json/value-text.ts'
import { piecesOf, type Archived, type ArchivedRun, type History } from './history.ts'
import { decodeTableMetadata, type TableMetadata } from './table-metadata.ts'
import { lastUnreferenced, referencedIds, stringifyTableMetadata, textAround } from './table-text.ts'

/**
 * The metadata file in parts (docs/adr/0004-metadata-in-parts.md): what changes is the file's own,
 * long runs of old snapshots and log entries are shared with the versions before.
 */
export interface TableFile {
  readonly parts: readonly NewFilePart[]
  /** The metadata as the file's reader has it, once it is known where the sealed items are: `linked` are the file's parts. */
  readonly headOf: (linked: readonly FilePart[]) => TableMetadata
}

/**
 * A balance: less is more segments to read for a whole load, more is more bytes for a commit. Rows of
 * more than a page cost an index much more than several that have one each.
 */
const defaultOwnListBytes = 4000

/** The file of `metadata`. What of the newest snapshots is longer than `ownListBytes` is sealed, and half as long a log. Pure. */
export function planTableFile(metadata: TableMetadata, ownListBytes = defaultOwnListBytes): TableFile {
  const snapshots = { items: metadata.snapshots, runs: metadata.archived?.snapshots ?? [] }
  const log = { items: metadata['snapshot-log'], runs: metadata.archived?.['snapshot-log'] ?? [] }
  const files = { items: metadata['metadata-log'], runs: metadata.archived?.['metadata-log'] ?? [] }
  const referenced = referencedIds(metadata.refs)
  const last = snapshots.items.length - 1
  const sealedSnapshots = sealable(snapshots, ownListBytes, (snapshot, index) => index < last && !referenced.has(snapshot['snapshot-id']))
  // The entry that bounds the log of the `refs` representation stays.
  let bound: number | undefined
  const sealedLog = sealable(log, ownListBytes / 2, (_, index) => index < (bound ??= lastUnreferenced(metadata)))
  const sealedFiles = sealable(files, ownListBytes / 2, () => true)
  const isSealing = sealedSnapshots.size + sealedLog.size + sealedFiles.size > 0
  if (!isSealing && snapshots.runs.length + log.runs.length + files.runs.length === 0) return wholeFile(metadata)
  const { beforeSnapshots, beforeLog, beforeFiles, end } = textAround(metadata)
  const file = new PartsBuilder()
  file.own(beforeSnapshots)
  writeList(file, 'snapshots', snapshots, sealedSnapshots)
  file.own(beforeLog)
  writeList(file, 'snapshot-log', log, sealedLog)
  file.own(beforeFiles)
  writeList(file, 'metadata-log', files, sealedFiles)
  file.own(end)
  const left = <T extends object>(items: readonly T[], sealed: ReadonlySet<object>): readonly T[] => (sealed.size === 0 ? items : items.filter((item) => !sealed.has(item)))
  const { parts, groups } = file.finish()
  return {
    parts,
    headOf: (linked) => ({
      ...metadata,
      snapshots: left(metadata.snapshots, sealedSnapshots),
      'snapshot-log': left(metadata['snapshot-log'], sealedLog),
      'metadata-log': left(metadata['metadata-log'], sealedFiles),
      archived: runsOf(linked, groups),
    }),
  }
}

function wholeFile(metadata: TableMetadata): TableFile {
  return { parts: [{ kind: 'own', bytes: Buffer.from(stringifyTableMetadata(metadata), 'utf8') }], headOf: () => metadata }
}

/** Shared bytes in a row: in which list, and after how many of its items in memory. */
interface SharedGroup {
  readonly list: keyof Archived
  readonly before: number
}

/** The runs of the file's lists: each group of shared parts is where it was planned, in one part or several. */
function runsOf(linked: readonly FilePart[], groups: readonly SharedGroup[]): Archived {
  const runs: Record<keyof Archived, ArchivedRun[]> = { snapshots: [], 'snapshot-log': [], 'metadata-log': [] }
  let group = -1
  let fileOffset = 0
  let isShared = false
  for (const part of linked) {
    const sizeBytes = part.kind === 'own' ? part.bytes.length : part.sizeBytes
    if (part.kind === 'shared') {
      if (!isShared) group++
      const { list, before } = must(groups[group], 'shared parts are where they were planned')
      runs[list].push({ ...runOf(part, fileOffset, isShared), before })
    }
    isShared = part.kind === 'shared'
    fileOffset += sizeBytes
  }
  assert(group === groups.length - 1, 'every group of shared parts is in the file')
  return runs
}

/** Shared bytes that could not join those before them begin with the separator. */
function runOf({ sharedId, offset, sizeBytes }: SharedBytes, fileOffset: number, isContinued: boolean): Omit<ArchivedRun, 'before'> {
  const skipped = isContinued ? itemSeparator.length : 0
  return { sharedId, offset: offset + skipped, sizeBytes: sizeBytes - skipped, fileOffset: fileOffset + skipped }
}

/** Which items after the last run become shareable: none until they are long enough. */
function sealable<T extends object>({ items, runs }: History<T>, minBytes: number, maySeal: (item: T, index: number) => boolean): ReadonlySet<object> {
  const first = runs.at(-1)?.before ?? 0
  const tail = first === 0 ? items : items.slice(first)
  if (itemsText(tail).length <= minBytes) return nothingSealed
  return new Set(tail.filter((item, index) => maySeal(item, first + index)))
}

const nothingSealed: ReadonlySet<object> = new Set()

function writeList<T extends object>(file: PartsBuilder, list: keyof Archived, history: History<T>, sealed: ReadonlySet<object>): void {
  if (sealed.size === 0 && history.runs.every(({ before }) => before === 0)) return writeTail(file, list, history)
  let sealing: string[] = []
  let written: 'nothing' | 'items' | 'shared' = 'nothing'
  let kept = 0
  const separate = (): void => {
    if (written !== 'nothing') file.own(itemSeparator)
  }
  const seal = (): void => {
    if (sealing.length === 0) return
    const text = sealing.join(itemSeparator)
    sealing = []
    // Right behind shared bytes: they may become one run, so the separator is shared too.
    if (written !== 'shared') separate()
    file.shareable(written === 'shared' ? `${itemSeparator}${text}` : text, { list, before: kept })
    written = 'shared'
  }
  for (const piece of piecesOf(history)) {
    if (piece.kind === 'item' && sealed.has(piece.item)) {
      sealing.push(stringifyJson(piece.item as Json))
      continue
    }
    seal()
    separate()
    if (piece.kind === 'item') {
      file.own(stringifyJson(piece.item as Json))
      kept++
    } else file.shared(piece.run, { list, before: kept })
    written = piece.kind === 'item' ? 'items' : 'shared'
  }
  seal()
}

/** The usual list: runs, then what is new. */
function writeTail<T extends object>(file: PartsBuilder, list: keyof Archived, { items, runs }: History<T>): void {
  for (const [index, run] of runs.entries()) {
    if (index > 0) file.own(itemSeparator)
    file.shared(run, { list, before: 0 })
  }
  if (items.length === 0) return
  if (runs.length > 0) file.own(itemSeparator)
  file.own(itemsText(items))
}

class PartsBuilder {
  readonly #parts: NewFilePart[] = []
  readonly #groups: SharedGroup[] = []
  readonly #texts: string[] = []

  own(text: string): void {
    this.#texts.push(text)
  }

  shareable(text: string, group: SharedGroup): void {
    this.#beginShared(group)
    this.#parts.push({ kind: 'shareable', bytes: Buffer.from(text, 'utf8') })
  }

  shared({ sharedId, offset, sizeBytes }: SharedBytes, group: SharedGroup): void {
    this.#beginShared(group)
    this.#parts.push({ kind: 'shared', sharedId, offset, sizeBytes })
  }

  finish(): { readonly parts: readonly NewFilePart[]; readonly groups: readonly SharedGroup[] } {
    this.#flush()
    return { parts: this.#parts, groups: this.#groups }
  }

  #beginShared(group: SharedGroup): void {
    this.#flush()
    if (this.#parts.at(-1)?.kind === 'own') this.#groups.push(group)
  }

  #flush(): void {
    if (this.#texts.length === 0) return
    this.#parts.push({ kind: 'own', bytes: Buffer.from(this.#texts.join(''), 'utf8') })
    this.#texts.length = 0
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
      if (isShared) text += itemSeparator
      text += `{"${placeholder}":${runs.length}}`
      runs.push(runOf(part, fileOffset, isShared))
    }
    isShared = part.kind === 'shared'
    fileOffset += sizeBytes
  }
  const source = asObject(parseJson(text), 'table metadata')
  const snapshots = withoutPlaceholders(source, 'snapshots', runs)
  const log = withoutPlaceholders(source, 'snapshot-log', runs)
  const files = withoutPlaceholders(source, 'metadata-log', runs)
  assert(snapshots.runs.length + log.runs.length + files.runs.length === runs.length, 'runs of a metadata file are in its long lists')
  const metadata = decodeTableMetadata({ ...source, snapshots: snapshots.items, 'snapshot-log': log.items, 'metadata-log': files.items }, newUuid)
  return { ...metadata, archived: { snapshots: snapshots.runs, 'snapshot-log': log.runs, 'metadata-log': files.runs } }
}

function withoutPlaceholders(source: JsonObject, member: keyof Archived, all: readonly Omit<ArchivedRun, 'before'>[]): History<Json> {
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

import { must } from '../../base/assert.ts'
import type { CatalogStore } from '../catalog-store.ts'
import type { TableUpdate } from '../commit/updates.ts'
import { decodeUtf8, parseJson } from '../json/parse.ts'
import { itemSeparator } from '../json/value-text.ts'
import { areWorn, type ArchivedRun } from '../spec/history.ts'
import { concernsLog, deletesExpiredFiles, maxLoggedFiles } from '../spec/log-properties.ts'
import { decodeMetadataLog, type MetadataLogEntry, type TableMetadata } from '../spec/table-metadata.ts'
import type { SharedTexts } from './shared-texts.ts'

interface Reader {
  readonly store: Pick<CatalogStore, 'readRange'>
  readonly sharedTexts: SharedTexts
}

/** A log of metadata files with room for one entry more. */
export interface TrimmedLog {
  readonly metadata: TableMetadata
  /** How many entries are archived. */
  readonly archivedFiles: number
  /** The archived entries that made room, where somebody will ask for them. */
  readonly droppedFiles: readonly MetadataLogEntry[]
}

/** The log is short: so much of its shared bytes may be out of use before it is written anew. */
const maxUnusedLogBytes = 256 * 1024

/**
 * Cuts the oldest entries off the archived part of the log of metadata files, so that a commit can add
 * one. All of the log comes into memory where `updates` change how long it is, and now and then to be
 * written anew.
 */
export async function trimMetadataLog(reader: Reader, location: string, metadata: TableMetadata, updates: readonly TableUpdate[]): Promise<TrimmedLog> {
  const { archived } = metadata
  const runs = archived?.['metadata-log'] ?? []
  const [run] = runs
  if (archived === undefined || run === undefined) return { metadata, archivedFiles: 0, droppedFiles: [] }
  const bytes = await runBytes(reader, location, runs)
  const isWhole = runs.length > 1 || areWorn(runs, maxUnusedLogBytes) || updates.some(changesLog)
  if (isWhole) {
    const files = [...decodeLines(bytes), ...metadata['metadata-log']]
    return { metadata: { ...metadata, 'metadata-log': files, archived: { ...archived, 'metadata-log': [] } }, archivedFiles: 0, droppedFiles: [] }
  }
  const count = countLines(bytes)
  const surplus = Math.min(count, count + metadata['metadata-log'].length + 1 - maxLoggedFiles(metadata.properties))
  if (surplus <= 0) return { metadata, archivedFiles: count, droppedFiles: [] }
  const cut = surplus === count ? bytes.length : lineStart(bytes, surplus)
  const droppedFiles = deletesExpiredFiles(metadata.properties) ? decodeLines(bytes.subarray(0, surplus === count ? cut : cut - itemSeparator.length)) : []
  const left = surplus === count ? [] : [{ ...run, offset: run.offset + cut, sizeBytes: run.sizeBytes - cut, fileOffset: run.fileOffset + cut }]
  return { metadata: { ...metadata, archived: { ...archived, 'metadata-log': left } }, archivedFiles: count - surplus, droppedFiles }
}

/** The text of what is archived of the log of metadata files. */
export async function archivedLogText(reader: Reader, location: string, { archived }: TableMetadata): Promise<string> {
  const runs = archived?.['metadata-log'] ?? []
  return runs.length === 0 ? '' : decodeUtf8(await runBytes(reader, location, runs))
}

/** The metadata files that the log names, archived or not. */
export async function loggedFiles(reader: Reader, location: string, metadata: TableMetadata): Promise<readonly string[]> {
  const text = await archivedLogText(reader, location, metadata)
  const archived = text === '' ? [] : decodeLines(Buffer.from(text))
  return [...archived, ...metadata['metadata-log']].map((entry) => entry['metadata-file'])
}

/** The text of some runs as that of one list. */
async function runBytes({ store, sharedTexts }: Reader, location: string, runs: readonly ArchivedRun[]): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (const [index, run] of runs.entries()) {
    if (index > 0) chunks.push(Buffer.from(itemSeparator))
    chunks.push(...(await sharedTexts.read(store, location, run)))
  }
  return chunks.length === 1 ? must(chunks[0], 'there is one') : Buffer.concat(chunks)
}

function changesLog(update: TableUpdate): boolean {
  const names = update.action === 'set-properties' ? Object.keys(update.updates) : update.action === 'remove-properties' ? update.removals : []
  return names.some(concernsLog)
}

const lineFeed = 0x0a

function countLines(bytes: Buffer): number {
  let count = 1
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) count++
  return count
}

/** Where the line begins that follows so many. */
function lineStart(bytes: Buffer, lines: number): number {
  let at = 0
  for (let line = 0; line < lines; line++) at = bytes.indexOf(lineFeed, at) + 1
  return at
}

function decodeLines(bytes: Buffer): readonly MetadataLogEntry[] {
  return decodeMetadataLog(parseJson(`[${decodeUtf8(bytes)}]`), 'metadata-log')
}

import type { Int64, Json } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { itemSeparator, itemsText, valueText } from '../json/value-text.ts'
import { currentSchema, type SnapshotMode, type TableMetadata } from './table-metadata.ts'

/**
 * The metadata's JSON text, members in the reference's order; of metadata whose lists are whole, or,
 * of the `refs` representation, of which `hasReferenced`: `archivedFiles` is the text of what of the
 * log of metadata files is not in memory. Texts are remembered as long as what they are of: the same
 * metadata is asked for again and again.
 */
export function stringifyTableMetadata(metadata: TableMetadata, mode: SnapshotMode = 'all', archivedFiles = ''): string {
  const texts = mode === 'all' ? allTexts : referencedTexts
  const known = texts.get(metadata)
  if (known !== undefined) return known
  const text = stringifyAll(mode === 'all' ? metadata : onlyReferenced(metadata), archivedFiles)
  if (text.length <= maxRememberedLength) texts.set(metadata, text)
  return text
}

const maxRememberedLength = 1024 * 1024
const allTexts = new WeakMap<TableMetadata, string>()
const referencedTexts = new WeakMap<TableMetadata, string>()

/** Whether the snapshots and the log of the `refs` representation are in memory. */
export function hasReferenced(metadata: TableMetadata): boolean {
  const runs = metadata.archived?.['snapshot-log'] ?? []
  return runs.length === 0 || lastUnreferenced(metadata) >= (runs.at(-1)?.before ?? 0)
}

/** Where in the log in memory the last entry is whose snapshot no branch or tag names; -1: nowhere. */
export function lastUnreferenced({ refs, 'snapshot-log': log }: TableMetadata): number {
  const ids = referencedIds(refs)
  return log.findLastIndex((entry) => !ids.has(entry['snapshot-id']))
}

export function referencedIds(refs: TableMetadata['refs']): ReadonlySet<Int64> {
  return new Set(Object.values(refs).map((ref) => ref['snapshot-id']))
}

/**
 * Without the snapshots that no branch or tag names, and without what refers to them. As in the
 * reference the snapshot log keeps what follows the last entry of such a snapshot: a gap would make
 * an older snapshot seem current for longer than it was.
 */
function onlyReferenced(metadata: TableMetadata): TableMetadata {
  const ids = referencedIds(metadata.refs)
  const isReferenced = (item: { readonly 'snapshot-id': Int64 }): boolean => ids.has(item['snapshot-id'])
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter(isReferenced),
    statistics: metadata.statistics.filter(isReferenced),
    'partition-statistics': metadata['partition-statistics'].filter(isReferenced),
    'snapshot-log': metadata['snapshot-log'].slice(lastUnreferenced(metadata) + 1),
  }
}

function stringifyAll(metadata: TableMetadata, archivedFiles: string): string {
  const { beforeSnapshots, beforeLog, beforeFiles, end } = textAround(metadata)
  const files = itemsText(metadata['metadata-log'])
  const allFiles = archivedFiles === '' || files === '' ? `${archivedFiles}${files}` : `${archivedFiles}${itemSeparator}${files}`
  return [beforeSnapshots, itemsText(metadata.snapshots), beforeLog, itemsText(metadata['snapshot-log']), beforeFiles, allFiles, end].join('')
}

/** The text around the three long lists: snapshots, the log of them, and the log of metadata files. */
export interface TextAround {
  readonly beforeSnapshots: string
  readonly beforeLog: string
  readonly beforeFiles: string
  readonly end: string
}

export function textAround(metadata: TableMetadata): TextAround {
  const texts = ['{']
  for (const [name, value] of Object.entries(headOf(metadata))) {
    if (value !== undefined) texts.push(`"${name}":`, isKept(name, value) ? valueText(value) : stringifyJson(value as Json), ',')
  }
  const keys = metadata['encryption-keys']
  if (metadata['format-version'] >= 3 && keys.length > 0) texts.push('"encryption-keys":', valueText(keys), ',')
  texts.push('"snapshots":[')
  return {
    beforeSnapshots: texts.join(''),
    beforeLog: `],"statistics":${valueText(metadata.statistics)},"partition-statistics":${valueText(metadata['partition-statistics'])},"snapshot-log":[`,
    beforeFiles: '],"metadata-log":[',
    end: ']}',
  }
}

/** What one version of a table takes over from the one before, as the very same object. */
function isKept(name: string, value: unknown): value is object {
  return typeof value === 'object' && value !== null && name !== 'refs'
}

/** All but the lists. Version 1 repeats its current schema and spec as older readers expect them. */
function headOf(metadata: TableMetadata): Record<string, unknown> {
  const formatVersion = metadata['format-version']
  const spec = metadata['partition-specs'].find((candidate) => candidate['spec-id'] === metadata['default-spec-id'])
  return {
    'format-version': formatVersion,
    'table-uuid': metadata['table-uuid'],
    location: metadata.location,
    ...(formatVersion > 1 && { 'last-sequence-number': metadata['last-sequence-number'] }),
    'last-updated-ms': metadata['last-updated-ms'],
    'last-column-id': metadata['last-column-id'],
    ...(formatVersion === 1 && { schema: currentSchema(metadata) }),
    'current-schema-id': metadata['current-schema-id'],
    schemas: metadata.schemas,
    ...(formatVersion === 1 && { 'partition-spec': spec?.fields ?? [] }),
    'default-spec-id': metadata['default-spec-id'],
    'partition-specs': metadata['partition-specs'],
    'last-partition-id': metadata['last-partition-id'],
    'default-sort-order-id': metadata['default-sort-order-id'],
    'sort-orders': metadata['sort-orders'],
    properties: metadata.properties,
    // Readers of versions 1 and 2 expect -1 where there is no snapshot; some of version 3 refuse null.
    'current-snapshot-id': metadata['current-snapshot-id'] ?? (formatVersion < 3 ? -1 : undefined),
    ...(formatVersion >= 3 && { 'next-row-id': metadata['next-row-id'] }),
    refs: metadata.refs,
  }
}

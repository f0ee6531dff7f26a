import { unreachable } from '../../base/assert.ts'
import { validationError } from '../errors.ts'
import type { Int64 } from '../json/json.ts'
import { withItemOf } from '../json/value-text.ts'
import { deletesExpiredFiles, maxLoggedFiles } from '../spec/log-properties.ts'
import { checkPartitionSpec } from '../spec/partition-spec.ts'
import { checkSortOrder } from '../spec/sort-order.ts'
import { currentSchema, decodeFormatVersion, stripTrailingSlash, validateTableMetadata, type MetadataLogEntry, type Properties, type TableMetadata } from '../spec/table-metadata.ts'
import {
  addPartitionSpec, addSchema, addSortOrder, removePartitionSpecs, removeSchemas, setCurrentSchema, setDefaultSortOrder, setDefaultSpec,
} from './schema-updates.ts'
import { addSnapshot, finishSnapshotLog, removeSnapshotRef, removeSnapshots, setSnapshotRef } from './snapshot-updates.ts'
import { draftOf, emptyDraft, type TableDraft } from './table-draft.ts'
import type { TableUpdate } from './updates.ts'

export interface BaseTable {
  readonly metadata: TableMetadata
  readonly metadataLocation: string
  /** Whether a snapshot exists that is not in memory; what the updates touch is (`bringBack`). */
  readonly isArchived?: (id: Int64) => boolean
  /** How many entries of the log of metadata files are not in memory; there is room for one more (`trimMetadataLog`). */
  readonly archivedFiles?: number
}

/**
 * The metadata after `updates`, in the reference's semantics (its `TableMetadata.Builder`). Pure.
 * The very same metadata object is returned when no update had an effect.
 */
export function applyUpdates(base: BaseTable, updates: readonly TableUpdate[], nowMs: number): TableMetadata {
  const draft = draftOf(base.metadata, nowMs, base.isArchived)
  for (const update of updates) applyUpdate(draft, update)
  if (!draft.changed) return base.metadata
  return finish(draft, base)
}

/** The metadata of a table made by a commit that asserts its creation. `uuid` and `location` serve where no update sets them. */
export function createFromUpdates(updates: readonly TableUpdate[], fallback: { readonly uuid: string; readonly location: string; readonly nowMs: number }): TableMetadata {
  const upgrade = updates.find((update) => update.action === 'upgrade-format-version')
  const formatVersion = upgrade === undefined ? 2 : decodeFormatVersion(upgrade.formatVersion, 'format-version')
  const draft = emptyDraft(formatVersion, fallback.uuid, fallback.location, fallback.nowMs)
  for (const update of updates) applyUpdate(draft, update)
  if (draft.metadata.schemas.length === 0) throw validationError('Cannot create a table without a schema')
  if (draft.metadata['partition-specs'].length === 0) addPartitionSpec(draft, { 'spec-id': 0, fields: [] })
  if (draft.metadata['sort-orders'].length === 0) addSortOrder(draft, { 'order-id': 0, fields: [] })
  if (draft.metadata['current-schema-id'] === -1) setCurrentSchema(draft, -1)
  if (draft.metadata['default-spec-id'] === -1) setDefaultSpec(draft, draft.metadata['partition-specs'][0]?.['spec-id'] ?? 0)
  if (draft.metadata['default-sort-order-id'] === -1) setDefaultSortOrder(draft, draft.metadata['sort-orders'][0]?.['order-id'] ?? 0)
  return finish(draft, undefined)
}

function applyUpdate(draft: TableDraft, update: TableUpdate): void {
  switch (update.action) {
    case 'assign-uuid':
      return assignUuid(draft, update.uuid)
    case 'upgrade-format-version':
      return upgradeFormatVersion(draft, update.formatVersion)
    case 'add-schema':
      return addSchema(draft, update.schema, update.lastColumnId)
    case 'set-current-schema':
      return setCurrentSchema(draft, update.schemaId)
    case 'remove-schemas':
      return removeSchemas(draft, update.schemaIds)
    case 'add-spec':
      return addPartitionSpec(draft, update.spec)
    case 'set-default-spec':
      return setDefaultSpec(draft, update.specId)
    case 'remove-partition-specs':
      return removePartitionSpecs(draft, update.specIds)
    case 'add-sort-order':
      return addSortOrder(draft, update.sortOrder)
    case 'set-default-sort-order':
      return setDefaultSortOrder(draft, update.sortOrderId)
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot)
    case 'set-snapshot-ref':
      return setSnapshotRef(draft, update.refName, update.ref)
    case 'remove-snapshots':
      return removeSnapshots(draft, update.snapshotIds)
    case 'remove-snapshot-ref':
      return removeSnapshotRef(draft, update.refName)
    default:
      return applyPlainUpdate(draft, update)
  }
}

type PlainUpdate = Extract<TableUpdate, { action: `${'set' | 'remove'}-${'location' | 'properties' | 'statistics' | 'partition-statistics'}` | `${string}-encryption-key` }>

/** Updates of one member that no other depends on. */
function applyPlainUpdate(draft: TableDraft, update: PlainUpdate): void {
  const { metadata } = draft
  switch (update.action) {
    case 'set-location':
      return set(draft, 'location', stripTrailingSlash(update.location))
    case 'set-properties':
      return setProperties(draft, { ...metadata.properties, ...update.updates })
    case 'remove-properties':
      return setProperties(draft, Object.fromEntries(Object.entries(metadata.properties).filter(([name]) => !update.removals.includes(name))))
    case 'set-statistics':
      return set(draft, 'statistics', [...without(metadata.statistics, update.statistics['snapshot-id']), update.statistics])
    case 'remove-statistics':
      return set(draft, 'statistics', without(metadata.statistics, update.snapshotId))
    case 'set-partition-statistics':
      return set(draft, 'partition-statistics', [...without(metadata['partition-statistics'], update.statistics['snapshot-id']), update.statistics])
    case 'remove-partition-statistics':
      return set(draft, 'partition-statistics', without(metadata['partition-statistics'], update.snapshotId))
    case 'add-encryption-key':
      if (metadata['format-version'] < 3) throw validationError('Encryption keys are not supported until v3')
      if (metadata['encryption-keys'].some((key) => key['key-id'] === update.key['key-id'])) return
      return set(draft, 'encryption-keys', [...metadata['encryption-keys'], update.key])
    case 'remove-encryption-key':
      return set(draft, 'encryption-keys', metadata['encryption-keys'].filter((key) => key['key-id'] !== update.keyId))
    default:
      return unreachable(update)
  }
}

function set<K extends keyof TableMetadata>(draft: TableDraft, member: K, value: TableDraft['metadata'][K]): void {
  const before = draft.metadata[member]
  if (before === value) return
  if (Array.isArray(before) && Array.isArray(value) && before.length === value.length && before.every((item, index) => item === value[index])) return
  draft.metadata[member] = value
  draft.changed = true
}

function without<T extends { readonly 'snapshot-id': unknown }>(files: readonly T[], snapshotId: unknown): readonly T[] {
  return files.filter((file) => file['snapshot-id'] !== snapshotId)
}

function assignUuid(draft: TableDraft, uuid: string): void {
  if (uuid === draft.metadata['table-uuid']) return
  if (draft.base !== undefined) throw validationError(`Cannot reassign uuid: ${draft.metadata['table-uuid']} != ${uuid}`)
  draft.metadata['table-uuid'] = uuid
}

function upgradeFormatVersion(draft: TableDraft, requested: number): void {
  const formatVersion = decodeFormatVersion(requested, 'format-version')
  const before = draft.metadata['format-version']
  if (formatVersion < before) throw validationError(`Cannot downgrade v${before} table to v${formatVersion}`)
  set(draft, 'format-version', formatVersion)
}

/** An encrypted table's key never changes: its files could not be read any more. */
const encryptionKeyProperty = 'encryption.key-id'

function setProperties(draft: TableDraft, properties: Properties): void {
  const before = draft.metadata.properties
  const baseKey = draft.base?.properties[encryptionKeyProperty]
  if (baseKey !== undefined && properties[encryptionKeyProperty] !== baseKey) throw validationError(`Cannot change or remove ${encryptionKeyProperty}`)
  const names = Object.keys(properties)
  if (names.length === Object.keys(before).length && names.every((name) => Object.hasOwn(before, name) && before[name] === properties[name])) return
  draft.metadata.properties = Object.assign(Object.create(null) as Record<string, string>, properties)
  draft.changed = true
}

function finish(draft: TableDraft, previous: BaseTable | undefined): TableMetadata {
  const { metadata } = draft
  const log = finishSnapshotLog(draft)
  metadata['snapshot-log'] = log.items
  if (metadata.archived !== undefined) metadata.archived = { ...metadata.archived, 'snapshot-log': log.runs }
  metadata['last-updated-ms'] = draft.lastUpdatedMs ?? draft.nowMs
  if (previous !== undefined) {
    const entry = { 'timestamp-ms': previous.metadata['last-updated-ms'], 'metadata-file': previous.metadataLocation }
    metadata['metadata-log'] = withItemOf(metadata['metadata-log'], entry, Math.max(1, maxLoggedFiles(metadata.properties) - (previous.archivedFiles ?? 0)))
  }
  const schema = currentSchema(metadata)
  const defaultSpec = metadata['partition-specs'].find((spec) => spec['spec-id'] === metadata['default-spec-id'])
  const defaultOrder = metadata['sort-orders'].find((order) => order['order-id'] === metadata['default-sort-order-id'])
  if (defaultSpec !== undefined) checkPartitionSpec(defaultSpec, schema)
  if (defaultOrder !== undefined) checkSortOrder(defaultOrder, schema)
  validateTableMetadata(metadata)
  return metadata
}

const metadataFileName = /\.metadata\.json(\.gz)?$|\.gz\.metadata\.json$/

/**
 * The metadata files (what else a log may name stays) that the commit pushed out of the log, when the
 * table wants them deleted: `dropped` ones, and others that were in memory.
 */
export function expiredMetadataFiles(base: TableMetadata, metadata: TableMetadata, dropped: readonly MetadataLogEntry[] = []): readonly string[] {
  if (!deletesExpiredFiles(metadata.properties)) return []
  const kept = new Set(metadata['metadata-log'].map((entry) => entry['metadata-file']))
  return [...dropped, ...base['metadata-log']].map((entry) => entry['metadata-file']).filter((file) => !kept.has(file) && metadataFileName.test(file))
}

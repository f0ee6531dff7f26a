import { bringBack } from '../archive/bring-back.ts'
import { trimMetadataLog } from '../archive/metadata-log.ts'
import type { CatalogTransaction } from '../catalog-store.ts'
import { applyUpdates, createFromUpdates, expiredMetadataFiles } from '../commit/apply-updates.ts'
import { checkRequirements, decodeRequirement, type TableRequirement } from '../commit/requirements.ts'
import { decodeTableUpdate, type TableUpdate } from '../commit/updates.ts'
import type { CatalogContext } from '../context.ts'
import { badRequest, CatalogError } from '../errors.ts'
import { newUuid } from '../ids.ts'
import { array, object, withDefault } from '../json/decode.ts'
import { defaultLocation, isInWarehouse, requestedLocation } from '../locations.ts'
import { readTableHead, readTableMetadata } from '../metadata-cache.ts'
import { readTable, readView, type Warehouse, fileOf, type MetadataFile } from '../rows/rows.ts'
import { isWorn } from '../spec/history.ts'
import { identifierText, type TableIdentifier } from '../spec/identifier.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import { isInFolder } from '../table-locations.ts'
import { emitChange, publishTable, requireNamespace } from '../tables.ts'

export interface TableCommit {
  readonly requirements: readonly TableRequirement[]
  readonly updates: readonly TableUpdate[]
}

export const decodeTableCommit = object({
  requirements: withDefault(array(decodeRequirement), []),
  updates: withDefault(array(decodeTableUpdate), []),
})

/**
 * One table's part of a commit, within `tx`: requirements, updates, the metadata file and the
 * pointer. Returns the table's metadata file afterwards.
 */
export async function commitTable(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, commit: TableCommit,
): Promise<MetadataFile> {
  if (createsTable(commit)) return createByCommit(tx, context, warehouse, identifier, commit)
  const row = await readTable(tx, warehouse.name, identifier)
  if (row === undefined) throw new CatalogError('NoSuchTable', `Table does not exist: ${identifierText(identifier)}`)
  const { metadataLocation: before } = row
  const changed = await changeTable(context, warehouse, { identifier, metadata: await readTableBase(context, row), metadataLocation: before, storedAt: before }, commit)
  if (changed === undefined) return fileOf(row)
  const { metadata, expiredFiles } = changed
  const metadataLocation = await publishTable(tx, context, warehouse, identifier, metadata, row)
  for (const file of expiredFiles) await tx.deleteFile(file)
  emitCommit(tx, warehouse, identifier, metadata, { metadataLocation, previousMetadataLocation: before }, commit)
  return { metadataLocation }
}

/** A table as a commit finds it. */
export interface TableState {
  readonly identifier: TableIdentifier
  readonly metadata: TableMetadata
  readonly metadataLocation: string
  /** The file that what is archived of it can be read from. */
  readonly storedAt: string
}

/** The metadata after one commit, and which metadata files go with it; undefined when it changes nothing. Writes nothing. */
export async function changeTable(
  context: CatalogContext, warehouse: Warehouse, { identifier, metadata: base, metadataLocation, storedAt }: TableState, commit: TableCommit,
): Promise<{ readonly metadata: TableMetadata; readonly expiredFiles: readonly string[] } | undefined> {
  checkRequirements(commit.requirements, base)
  const updates = withoutForeignLocations(warehouse, commit.updates)
  const broughtBack = await bringBack(context, storedAt, base, updates)
  const { droppedFiles, ...trimmed } = await trimMetadataLog(context, storedAt, broughtBack.metadata, updates)
  const metadata = applyUpdates({ ...broughtBack, ...trimmed, metadataLocation }, updates, context.clock.nowMs())
  if (metadata === trimmed.metadata) return undefined
  const expired = expiredMetadataFiles(trimmed.metadata, metadata, droppedFiles)
  return { metadata, expiredFiles: await ownMetadataFiles(context, warehouse, identifier, metadata, expired) }
}

/** A metadata file that is registered may list any files: those go that are where the table has its own, and in no other table's folder. */
async function ownMetadataFiles(
  { locations, store }: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, { location, properties }: TableMetadata, listed: readonly string[],
): Promise<readonly string[]> {
  const folders = [location, properties['write.metadata.path'] ?? location]
  const files = listed.filter((file) => isInWarehouse(warehouse, file) && folders.some((folder) => isInFolder(folder, file)))
  return files.length === 0 ? files : locations.inNoOther(store, warehouse.name, identifier, files)
}

export function emitCommit(
  tx: CatalogTransaction, warehouse: Warehouse, identifier: TableIdentifier, metadata: TableMetadata,
  locations: { readonly metadataLocation: string; readonly previousMetadataLocation: string }, commit: TableCommit,
): void {
  emitChange(tx, 'CommitTable', warehouse, [...identifier.namespace, identifier.name], {
    uuid: metadata['table-uuid'], ...locations, updates: [...new Set(commit.updates.map(({ action }) => action))],
  })
}

export function createsTable({ requirements }: TableCommit): boolean {
  return requirements.some(({ type }) => type === 'assert-create')
}

/** Commits to one table take turns under this name. */
export function tableTurn(warehouse: Warehouse, { namespace, name }: TableIdentifier): string {
  return JSON.stringify([warehouse.name, ...namespace, name])
}

/** What a commit starts from: worn-out lists as a whole, to be written anew. */
export async function readTableBase(context: CatalogContext, file: MetadataFile): Promise<TableMetadata> {
  const head = await readTableHead(context, file)
  return head.archived !== undefined && isWorn(head.archived) ? readTableMetadata(context, file) : head
}

/** The catalog says where tables are: see `requestedLocation`. */
function withoutForeignLocations(warehouse: Warehouse, updates: readonly TableUpdate[]): readonly TableUpdate[] {
  return updates.filter((update) => update.action !== 'set-location' || requestedLocation(warehouse, update.location) !== undefined)
}

/** A commit that asserts the creation makes the table; it may ask for nothing else. */
async function createByCommit(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, { requirements, updates }: TableCommit,
): Promise<MetadataFile> {
  const others = requirements.filter(({ type }) => type !== 'assert-create')
  if (others.length > 0) throw badRequest(`Invalid create requirements: ${others.map(({ type }) => type).join(', ')}`)
  const namespace = await requireNamespace(tx, warehouse, identifier.namespace)
  const row = await readTable(tx, warehouse.name, identifier)
  if (row !== undefined) throw new CatalogError('CommitFailed', `Requirement failed: table already exists: ${identifierText(identifier)}`)
  if ((await readView(tx, warehouse.name, identifier)) !== undefined) {
    throw new CatalogError('AlreadyExists', `View with same name already exists: ${identifierText(identifier)}`)
  }
  const uuid = newUuid(context.random)
  const location = defaultLocation(warehouse, identifier.namespace, namespace.properties, identifier.name, uuid)
  const metadata = createFromUpdates(withoutForeignLocations(warehouse, updates), { uuid, location, nowMs: context.clock.nowMs() })
  const metadataLocation = await publishTable(tx, context, warehouse, identifier, metadata, undefined)
  emitChange(tx, 'CreateTable', warehouse, [...identifier.namespace, identifier.name], { uuid: metadata['table-uuid'], metadataLocation })
  return { metadataLocation }
}

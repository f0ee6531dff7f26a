import { CatalogError, validationError } from './errors.ts'
import type { CatalogTransaction, FilePart } from './catalog-store.ts'
import type { CatalogContext } from './context.ts'
import { newUuid } from './ids.ts'
import { checkLocation, metadataFileLocation } from './locations.ts'
import { tableKey, viewKey } from './rows/keys.ts'
import { encodeRow, readNamespace, readTable, readView, type NamespaceRow, type PointerRow, type RowReader, type Warehouse, fileOf, type MetadataFile } from './rows/rows.ts'
import { identifierText, namespaceText, type Namespace, type TableIdentifier } from './spec/identifier.ts'
import { planTableFile } from './spec/table-file.ts'
import type { TableMetadata } from './spec/table-metadata.ts'
import { stringifyViewMetadata, type ViewMetadata } from './spec/view-metadata.ts'

/** What the operations on tables and views share: looking up, and publishing a metadata file with its pointer. */

export async function requireNamespace(reader: RowReader, warehouse: Warehouse, namespace: Namespace): Promise<NamespaceRow> {
  const row = await readNamespace(reader, warehouse.name, namespace)
  if (row === undefined) throw new CatalogError('NoSuchNamespace', `Namespace does not exist: ${namespaceText(namespace)}`)
  return row
}

export async function requireTable(reader: RowReader, warehouse: Warehouse, identifier: TableIdentifier): Promise<PointerRow> {
  const row = await readTable(reader, warehouse.name, identifier)
  if (row === undefined) throw new CatalogError('NoSuchTable', `Table does not exist: ${identifierText(identifier)}`)
  return row
}

export async function requireView(reader: RowReader, warehouse: Warehouse, identifier: TableIdentifier): Promise<PointerRow> {
  const row = await readView(reader, warehouse.name, identifier)
  if (row === undefined) throw new CatalogError('NoSuchView', `View does not exist: ${identifierText(identifier)}`)
  return row
}

/** Tables and views share their names: `AlreadyExists` when either is there. `wanted` words the message. */
export async function requireFreeName(reader: RowReader, warehouse: Warehouse, identifier: TableIdentifier, wanted: 'Table' | 'View'): Promise<void> {
  const taken = await takenBy(reader, warehouse, identifier)
  if (taken === undefined) return
  throw new CatalogError('AlreadyExists', `${taken}${taken === wanted ? '' : ' with same name'} already exists: ${identifierText(identifier)}`)
}

/** As `requireFreeName`, for a rename. */
export async function requireFreeDestination(reader: RowReader, warehouse: Warehouse, source: TableIdentifier, destination: TableIdentifier): Promise<void> {
  const taken = await takenBy(reader, warehouse, destination)
  if (taken === undefined) return
  throw new CatalogError('AlreadyExists', `Cannot rename ${identifierText(source)} to ${identifierText(destination)}. ${taken} already exists`)
}

async function takenBy(reader: RowReader, warehouse: Warehouse, identifier: TableIdentifier): Promise<'Table' | 'View' | undefined> {
  const table = await readTable(reader, warehouse.name, identifier)
  const view = await readView(reader, warehouse.name, identifier)
  if (table !== undefined) return 'Table'
  return view === undefined ? undefined : 'View'
}

/** Where the next metadata file goes. `Validation` when the table's location is not in the warehouse. */
export function nextMetadataLocation(
  context: CatalogContext, warehouse: Warehouse, metadata: TableMetadata | ViewMetadata, previous: string | undefined,
): string {
  checkLocation(warehouse, metadata.location)
  return metadataFileLocation(warehouse, metadata, previous, newUuid(context.random))
}

/** Writes the metadata file and the table's pointer to it, in `tx`: the file is pinned as long as a pointer names it. */
export async function publishTable(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier,
  metadata: TableMetadata, previous: PointerRow | undefined,
): Promise<string> {
  const metadataLocation = nextMetadataLocation(context, warehouse, metadata, previous?.metadataLocation)
  await writeTableFile(tx, context, metadataLocation, metadata, { sharedBy: previous?.metadataLocation })
  if (previous !== undefined) await tx.unpinFile(previous.metadataLocation)
  putTablePointer(tx, context, warehouse, identifier, metadata, { metadataLocation }, previous)
  return metadataLocation
}

/** Writes a table's metadata file and remembers it: what has been written is not read again. `isPassing`: another one follows in the same transaction. */
export async function writeTableFile(
  tx: CatalogTransaction, context: CatalogContext, metadataLocation: string, metadata: TableMetadata,
  { sharedBy, isPassing = false }: { readonly sharedBy: string | undefined; readonly isPassing?: boolean },
): Promise<void> {
  // What it sealed would not be there for the file that follows.
  const { parts, headOf } = planTableFile(metadata, isPassing ? Infinity : context.settings.ownListBytes)
  const [only] = parts
  const onLinked = (linked: readonly FilePart[]): void => context.cache.setTable(metadataLocation, { metadata: headOf(linked), parts: linked })
  const pinned = !isPassing
  if (parts.length === 1 && only?.kind === 'own') {
    await tx.putFile(metadataLocation, only.bytes, 'application/json', { pinned })
    onLinked([only])
  } else await tx.putParts(metadataLocation, parts, { sharedBy, contentType: 'application/json', pinned, onLinked })
}

export function putTablePointer(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier,
  metadata: TableMetadata, file: MetadataFile, previous: PointerRow | undefined,
): void {
  tx.put(tableKey(warehouse.name, identifier), pointerRow(context, metadata['table-uuid'], metadata, file, previous))
}

/** It becomes part of keys; a real one has 36 characters. */
const maxUuidBytes = 200

/** `Validation` for a UUID that is far from being one. */
function pointerRow(
  { clock }: CatalogContext, uuid: string, metadata: TableMetadata | ViewMetadata, file: MetadataFile, previous: PointerRow | undefined,
): Buffer {
  const { location, 'format-version': formatVersion } = metadata
  if (uuid === '' || Buffer.byteLength(uuid) > maxUuidBytes) throw validationError(`Invalid UUID: ${uuid}`)
  // What is not the metadata's stays with the table through its commits.
  const { protected: isProtected, tags, policy } = previous ?? {}
  const kept = { ...(isProtected === true && { protected: true }), ...(tags !== undefined && { tags }), ...(policy !== undefined && { policy }) }
  const row: PointerRow = { uuid, ...fileOf(file), location, formatVersion, updatedAtMs: clock.nowMs(), ...kept }
  return encodeRow(row)
}

/** As `publishTable`, for a view. */
export async function publishView(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier,
  metadata: ViewMetadata, previous: PointerRow | undefined,
): Promise<string> {
  const metadataLocation = nextMetadataLocation(context, warehouse, metadata, previous?.metadataLocation)
  const bytes = Buffer.from(stringifyViewMetadata(metadata), 'utf8')
  await tx.putFile(metadataLocation, bytes, 'application/json')
  if (previous !== undefined) await tx.unpinFile(previous.metadataLocation)
  putViewPointer(tx, context, warehouse, identifier, metadata, { metadataLocation }, previous)
  context.cache.setView(metadataLocation, metadata, bytes.length)
  return metadataLocation
}

export function putViewPointer(
  tx: CatalogTransaction, context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier,
  metadata: ViewMetadata, file: MetadataFile, previous: PointerRow | undefined,
): void {
  tx.put(viewKey(warehouse.name, identifier), pointerRow(context, metadata['view-uuid'], metadata, file, previous))
}

/** An event of the outbox, named `iceberg:…`. */
export function emitChange(tx: CatalogTransaction, type: string, warehouse: Warehouse, subject: Namespace, detail: Readonly<Record<string, unknown>> = {}): void {
  tx.emit({ type: `iceberg:${type}`, subject: [warehouse.name, ...subject].join('/'), detail: { warehouse: warehouse.name, ...detail } })
}

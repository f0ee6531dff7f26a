import type { CatalogContext, TableFiles, VendedCredentials } from '../context.ts'
import type { Json } from '../json/json.ts'
import { namespaceLocation, parseLocation } from '../locations.ts'
import { readTable } from '../rows/rows.ts'
import { unitSeparator, type TableIdentifier } from '../spec/identifier.ts'
import { stripTrailingSlash } from '../spec/table-metadata.ts'
import type { OperationInput } from './operation.ts'

export type VendInput = Pick<OperationInput, 'warehouse' | 'headers' | 'sees'>

/** A table whose files a client wants to reach. `created`: by this very request, so that its caller may write. */
export interface VendedTable {
  readonly identifier: TableIdentifier
  readonly location: string
  readonly need: 'whatever is allowed' | 'read' | 'created'
}

/** Specification: `X-Iceberg-Access-Delegation`, the mechanisms that the client can do with. */
export function wantsDelegation(headers: VendInput['headers'], mechanism: 'vended-credentials' | 'remote-signing'): boolean {
  return headers['x-iceberg-access-delegation']?.split(',').some((each) => each.trim() === mechanism) === true
}

/**
 * Specification: `StorageCredential`, one for the table's folder, for reading or, where the caller may commit, writing.
 * Nothing where the caller may not read the table's data, or where the folder is not the table's alone: its credentials
 * would reach another table's files.
 */
export async function vendCredentials(context: CatalogContext, input: VendInput, table: VendedTable): Promise<readonly StorageCredential[]> {
  const { vend } = context
  const place = parseLocation(`${stripTrailingSlash(table.location)}/`)
  if (vend === undefined || place === undefined) return []
  const access = await accessOf(input, table)
  if (access === undefined || !(await isOwnFolder(context, input, table))) return []
  const files: TableFiles = { bucket: place.bucket, prefix: place.key, access }
  const credentials = await vend(files)
  return credentials === undefined ? [] : [{ prefix: `s3://${place.bucket}/${place.key}`, config: configOf(credentials, input, table.identifier) }]
}

export interface StorageCredential {
  readonly prefix: string
  readonly config: Readonly<Record<string, string>>
}

/** Of a planned scan: to read, where the client asked for credentials. */
export async function planCredentials(context: CatalogContext, input: VendInput, identifier: TableIdentifier): Promise<{ readonly [name: string]: Json }> {
  if (!wantsDelegation(input.headers, 'vended-credentials')) return {}
  const row = await readTable(context.store, input.warehouse.name, identifier)
  return row === undefined ? {} : storageCredentials(await vendCredentials(context, input, { identifier, location: row.location, need: 'read' }))
}

/** Members of a response: none where nothing is vended. */
export function storageCredentials(credentials: readonly StorageCredential[]): { readonly [name: string]: Json } {
  return credentials.length === 0 ? {} : { 'storage-credentials': credentials.map(({ prefix, config }) => ({ prefix, config: { ...config } })) }
}

async function accessOf({ sees }: VendInput, { identifier, need }: VendedTable): Promise<TableFiles['access'] | undefined> {
  if (need === 'created') return 'write'
  const target = { kind: 'table', role: 'itself', ...identifier } as const
  if (!(await sees('loadCredentials', target))) return undefined
  return need === 'whatever is allowed' && (await sees('updateTable', target)) ? 'write' : 'read'
}

/**
 * Below the folder that the namespace's name gives, and neither within another table's folder nor around it. The namespace's
 * `location` counts for nothing here: who may change it could point it at files of others.
 */
async function isOwnFolder({ store, locations }: CatalogContext, { warehouse }: VendInput, { identifier, location }: VendedTable): Promise<boolean> {
  if (!location.startsWith(`${namespaceLocation(warehouse, identifier.namespace, {})}/`)) return false
  return locations.isAlone(store, warehouse.name, identifier, location)
}

/**
 * What clients read: the session, when it ends, and where to get the next. A client that refreshes does so minutes before
 * the end. https://iceberg.apache.org/docs/latest/aws/#vended-credentials
 */
function configOf({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: VendedCredentials, { warehouse }: VendInput, { namespace, name }: TableIdentifier): Record<string, string> {
  const segments = ['v1', warehouse.name, 'namespaces', namespace.join(unitSeparator), 'tables', name, 'credentials']
  return {
    's3.access-key-id': accessKeyId,
    's3.secret-access-key': secretAccessKey,
    's3.session-token': sessionToken,
    's3.session-token-expires-at-ms': String(expiresAtMs),
    'client.refresh-credentials-enabled': 'true',
    'client.refresh-credentials-endpoint': segments.map(encodeURIComponent).join('/'),
  }
}

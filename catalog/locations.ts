import { badRequest } from './errors.ts'
import type { Warehouse } from './rows/rows.ts'
import type { Namespace, TableIdentifier } from './spec/identifier.ts'
import { stripTrailingSlash, type Properties } from './spec/table-metadata.ts'

/** An `s3://bucket/key` taken apart. */
export interface FileLocation {
  readonly bucket: string
  readonly key: string
}

/** `s3a` and `s3n` are Hadoop's names for the same place. Undefined: no S3 location. */
export function parseLocation(location: string): FileLocation | undefined {
  const match = /^s3[an]?:\/\/([^/]+)\/(.*)$/s.exec(location)
  return match === null ? undefined : { bucket: match[1] ?? '', key: match[2] ?? '' }
}

/** Of an object's key. */
const maxKeyBytes = 1024

/** Whether an object can have this key. */
export function isObjectKey(key: string): boolean {
  return key !== '' && Buffer.byteLength(key) <= maxKeyBytes && key.isWellFormed()
}

/** Whether a file or folder can lie in the warehouse: in its bucket, below its prefix when it has one. */
export function isInWarehouse({ bucket, prefix }: Pick<Warehouse, 'bucket' | 'prefix'>, location: string): boolean {
  const parsed = parseLocation(`${stripTrailingSlash(location)}/`)
  if (parsed === undefined || parsed.bucket !== bucket || (prefix !== undefined && !parsed.key.startsWith(`${prefix}/`))) return false
  return parsed.key === '' || isObjectKey(parsed.key.slice(0, -1))
}

/** `BadRequest` unless the location lies in the warehouse. */
export function checkLocation(warehouse: Warehouse, location: string): string {
  if (!isInWarehouse(warehouse, location)) {
    throw badRequest(`Invalid location: ${location} cannot be in warehouse ${warehouse.name} (${warehouseLocation(warehouse)}/)`)
  }
  if (hasDots(location)) throw badRequest(`Invalid location: ${location}`)
  return stripTrailingSlash(location)
}

/** Some clients would resolve `.` and `..`, others not: such a path is not one place. */
function hasDots(location: string): boolean {
  return location.split('/').some((segment) => segment === '.' || segment === '..')
}

export function warehouseLocation(warehouse: Warehouse): string {
  return `s3://${warehouse.bucket}${warehouse.prefix === undefined ? '' : `/${warehouse.prefix}`}`
}

/**
 * The location that a client asks for: undefined when it is no S3 location at all. That is a
 * default of the client's own file system (`file:/user/hive/warehouse/…`), which this catalog
 * overrides; another bucket is a wish, and refused.
 */
export function requestedLocation(warehouse: Warehouse, location: string | undefined): string | undefined {
  if (location === undefined || parseLocation(`${location}/`) === undefined) return undefined
  return checkLocation(warehouse, location)
}

/** Where a namespace's tables and views go: its own `location` property when that lies in the warehouse. */
export function namespaceLocation(warehouse: Warehouse, namespace: Namespace, properties: Properties): string {
  const own = properties['location']
  return own !== undefined && isInWarehouse(warehouse, own) && !hasDots(own)
    ? stripTrailingSlash(own)
    : [warehouseLocation(warehouse), ...namespace.map(pathSegment)].join('/')
}

/** Where a new table or view goes: where the client says (`BadRequest` outside the warehouse), else where `defaultLocation` says. */
export function newLocation(warehouse: Warehouse, { namespace, name }: TableIdentifier, namespaceProperties: Properties, requested: string | undefined, uuid: string): string {
  return requestedLocation(warehouse, requested) ?? defaultLocation(warehouse, namespace, namespaceProperties, name, uuid)
}

/** Where a new table or view goes when the client does not say: below its namespace, never where another has been. */
export function defaultLocation(warehouse: Warehouse, namespace: Namespace, namespaceProperties: Properties, name: string, uuid: string): string {
  return `${namespaceLocation(warehouse, namespace, namespaceProperties)}/${pathSegment(name)}-${uuid}`
}

/** File systems and clients disagree on escapes, so paths are made of what needs none. */
function pathSegment(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_.=-]/gu, '_').slice(0, 100)
  return plain === '.' || plain === '..' ? '_' : plain
}

/** The location of the metadata file that follows `previous`, always in the warehouse: its counter grows. */
export function metadataFileLocation(
  warehouse: Warehouse, { location, properties }: { readonly location: string; readonly properties: Properties }, previous: string | undefined, uuid: string,
): string {
  const folder = requestedLocation(warehouse, properties['write.metadata.path']) ?? checkLocation(warehouse, `${location}/metadata`)
  const counter = previous === undefined ? 0 : metadataCounter(previous) + 1
  const file = `${folder}/${String(counter).padStart(5, '0')}-${uuid}.metadata.json`
  return checkLocation(warehouse, file)
}

function metadataCounter(location: string): number {
  const match = /\/v?(\d{1,9})[^/]*\.metadata\.json$/.exec(location)
  return match === null ? -1 : Number(match[1])
}

import { validationError } from '../errors.ts'
import { array, int32, int64, object, oneOf, optional, record, string, withDefault, type Decoder } from '../json/decode.ts'
import type { Int64, Json } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { decodeSchema, type Schema } from './schema.ts'

/** https://iceberg.apache.org/view-spec/#view-metadata. Values are never mutated. */
export interface ViewMetadata {
  readonly 'view-uuid': string
  readonly 'format-version': 1
  readonly location: string
  readonly schemas: readonly Schema[]
  readonly 'current-version-id': number
  readonly versions: readonly ViewVersion[]
  readonly 'version-log': readonly ViewHistoryEntry[]
  readonly properties: Readonly<Record<string, string>>
}

export interface ViewVersion {
  readonly 'version-id': number
  readonly 'timestamp-ms': Int64
  readonly 'schema-id': number
  readonly summary: Readonly<Record<string, string>>
  readonly 'default-catalog'?: string
  readonly 'default-namespace': readonly string[]
  readonly representations: readonly ViewRepresentation[]
}

export interface ViewRepresentation {
  readonly type: 'sql'
  readonly sql: string
  readonly dialect: string
}

export interface ViewHistoryEntry {
  readonly 'timestamp-ms': Int64
  readonly 'version-id': number
}

export const decodeViewVersion: Decoder<ViewVersion> = object({
  'version-id': int32,
  'timestamp-ms': int64,
  'schema-id': int32,
  summary: withDefault(record(string), {}),
  'default-catalog': optional(string),
  'default-namespace': array(string),
  representations: array(object({ type: oneOf('sql'), sql: string, dialect: string })),
})

const decodeShape = object({
  'view-uuid': string,
  'format-version': int32,
  location: string,
  schemas: array(decodeSchema),
  'current-version-id': int32,
  versions: array(decodeViewVersion),
  'version-log': array(object({ 'timestamp-ms': int64, 'version-id': int32 })),
  properties: withDefault(record(string), {}),
})

export const decodeViewMetadata: Decoder<ViewMetadata> = (value, at) => {
  const metadata = decodeShape(value, at)
  if (metadata['format-version'] !== 1) throw validationError(`Unsupported format version: ${metadata['format-version']}`)
  const view = { ...metadata, 'format-version': 1 } as const
  currentViewVersion(view)
  return view
}

export function currentViewVersion(view: ViewMetadata): ViewVersion {
  const current = view.versions.find((version) => version['version-id'] === view['current-version-id'])
  if (current === undefined) throw validationError(`Cannot find current version ${view['current-version-id']} in view versions`)
  return current
}

export function stringifyViewMetadata(view: ViewMetadata): string {
  return stringifyJson(view as unknown as Json)
}

import { validationError } from '../errors.ts'
import { anyJson, array, boolean, int32, int64, object, oneOf, optional, record, string, type Decoder } from '../json/decode.ts'
import type { Json } from '../json/json.ts'

/** A user-defined function's metadata. Specification: `FunctionMetadata`. Values are never mutated. */
export interface FunctionMetadata {
  readonly 'function-uuid': string
  readonly 'format-version': number
  readonly definitions: readonly FunctionDefinition[]
  readonly 'definition-log': readonly { readonly 'timestamp-ms': Json; readonly 'definition-versions': readonly { readonly 'definition-id': string; readonly 'version-id': number }[] }[]
}

export interface FunctionDefinition {
  readonly 'definition-id': string
  readonly 'specific-name'?: string
  readonly 'current-version-id': number
  readonly 'function-type': 'udf' | 'udtf'
  readonly 'return-type': Json
  readonly versions: readonly { readonly 'version-id': number }[]
}

const decodeVersion = object({
  'version-id': int32,
  representations: array(object({ type: oneOf('sql'), dialect: string, sql: string })),
  deterministic: optional(boolean),
  'on-null-input': optional(oneOf('return-null', 'call')),
  'timestamp-ms': int64,
})

const decodeDefinition = object({
  'definition-id': string,
  'specific-name': optional(string),
  parameters: array(object({ type: anyJson, name: string, doc: optional(string) })),
  'return-type': anyJson,
  'return-nullable': optional(boolean),
  versions: array(decodeVersion),
  'current-version-id': int32,
  'function-type': oneOf('udf', 'udtf'),
  doc: optional(string),
})

const decodeShape = object({
  'function-uuid': string,
  'format-version': int32,
  definitions: array(decodeDefinition),
  'definition-log': array(
    object({ 'timestamp-ms': int64, 'definition-versions': array(object({ 'definition-id': string, 'version-id': int32 })) }),
  ),
  location: optional(string),
  properties: optional(record(string)),
  secure: optional(boolean),
  doc: optional(string),
})

export const decodeFunctionMetadata: Decoder<FunctionMetadata> = (value, at) => {
  const metadata = decodeShape(value, at)
  if (metadata['format-version'] !== 1) throw validationError(`Unsupported format version: ${metadata['format-version']}`)
  const ids = new Set(metadata.definitions.map((definition) => definition['definition-id']))
  if (ids.size < metadata.definitions.length) throw validationError('Two definitions have the same definition-id')
  const names = metadata.definitions.flatMap((definition) => definition['specific-name'] ?? [])
  if (new Set(names).size < names.length) throw validationError('Two definitions have the same specific-name')
  for (const definition of metadata.definitions) {
    if (!definition.versions.some((version) => version['version-id'] === definition['current-version-id'])) {
      throw validationError(`Definition ${definition['definition-id']} has no version ${definition['current-version-id']}`)
    }
  }
  return metadata
}

import { validationError } from '../errors.ts'
import { string, type Decoder } from '../json/decode.ts'
import { primitiveName, type Type } from './types.ts'

/** `identity`, `bucket[16]`, `truncate[10]`, `year`, …: https://iceberg.apache.org/spec/#partition-transforms */
export type Transform = string

const dateTypes = ['date', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns']
const timestampTypes = dateTypes.slice(1)
const sourceTypes: Readonly<Record<string, readonly string[]>> = {
  year: dateTypes,
  month: dateTypes,
  day: dateTypes,
  hour: timestampTypes,
  bucket: ['int', 'long', 'decimal', 'date', 'time', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns', 'string', 'uuid', 'fixed', 'binary'],
  truncate: ['int', 'long', 'decimal', 'string', 'binary'],
}

/** Names of older writers, still accepted by the reference. */
const synonyms: Readonly<Record<string, string>> = { years: 'year', months: 'month', days: 'day', hours: 'hour', date: 'day', 'date-hour': 'hour' }

const pattern = /^(bucket|truncate)\[(\d+)\]$/

/** Unknown transforms are kept, as the specification asks of readers; a wrong width is refused. */
export const decodeTransform: Decoder<Transform> = (value, at) => {
  const text = string(value, at)
  const transform = synonyms[text.toLowerCase()] ?? text
  const width = pattern.exec(transform)?.[2]
  if (width !== undefined && (Number(width) < 1 || Number(width) >= 2 ** 31)) throw validationError(`Invalid transform: ${text}`)
  return transform
}

export interface ParsedTransform {
  readonly name: string
  /** The buckets or the width; 0 where the transform has none. */
  readonly width: number
}

export function parseTransform(transform: Transform): ParsedTransform {
  const match = pattern.exec(transform)
  return match === null ? { name: transform, width: 0 } : { name: match[1] ?? '', width: Number(match[2]) }
}

export function canTransform(transform: Transform, source: Type): boolean {
  const { name } = parseTransform(transform)
  if (name === 'void') return true
  if (typeof source !== 'string') return false
  const primitive = primitiveName(source) ?? ''
  if (name === 'identity') return !['variant', 'geometry', 'geography'].includes(primitive)
  return sourceTypes[name]?.includes(primitive) ?? true
}

import { validationError } from '../errors.ts'
import { int64Of, type Int64, type Json } from '../json/json.ts'
import { primitiveName, type PrimitiveType } from '../spec/types.ts'

/**
 * A value of a primitive type, in a form in which values of one type compare:
 * integers, dates, times and timestamps as integers, decimals as unscaled bigint, strings as
 * themselves, uuid, fixed and binary as bytes.
 */
export type Value = boolean | Int64 | string | Buffer

/** Single-value binary serialization: https://iceberg.apache.org/spec/#binary-single-value-serialization. Undefined: a type without bounds. */
export function decodeBound(type: PrimitiveType, bytes: Buffer): Value | undefined {
  switch (primitiveName(type)) {
    case 'boolean':
      return bytes[0] !== 0
    case 'int':
    case 'date':
      return bytes.readInt32LE()
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return bytes.length === 4 ? bytes.readInt32LE() : int64Of(bytes.readBigInt64LE())
    case 'float':
      return bytes.readFloatLE()
    case 'double':
      return bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE()
    case 'decimal':
      return unscaledOf(bytes)
    case 'string':
      return bytes.toString('utf8')
    case 'uuid':
    case 'fixed':
    case 'binary':
      return bytes
    default:
      return undefined
  }
}

/** Two's complement, big endian. */
function unscaledOf(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

/** A partition value as Avro holds it. */
export function valueOfAvro(type: PrimitiveType, value: unknown): Value | undefined {
  if (value === null || value === undefined) return undefined
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return primitiveName(type) === 'decimal' ? unscaledOf(bytes) : bytes
  }
  return value as Value
}

/** Strings compare as their UTF-8 bytes do. */
export function compareValues(left: Value, right: Value): number {
  if (typeof left === 'string' && typeof right === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (Buffer.isBuffer(left) && Buffer.isBuffer(right)) return Buffer.compare(left, right)
  return left < right ? -1 : left > right ? 1 : 0
}

const dayMs = 86_400_000
const unitsPerSecond = { timestamp: 1_000_000n, timestamptz: 1_000_000n, timestamp_ns: 1_000_000_000n, timestamptz_ns: 1_000_000_000n } as const

/** JSON single-value serialization: https://iceberg.apache.org/spec/#json-single-value-serialization */
export function valueToJson(type: PrimitiveType, value: Value): Json {
  const name = primitiveName(type) ?? ''
  switch (name) {
    case 'date':
      return new Date(Number(value) * dayMs).toISOString().slice(0, 10)
    case 'time':
      return `${timeText(BigInt(value as Int64) / 1_000_000n)}.${String(BigInt(value as Int64) % 1_000_000n).padStart(6, '0')}`
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return timestampText(BigInt(value as Int64), unitsPerSecond[name]) + (name.startsWith('timestamptz') ? '+00:00' : '')
    case 'decimal':
      return decimalText(BigInt(value as Int64), scaleOf(type))
    case 'uuid':
      return uuidText(value as Buffer)
    default:
      return Buffer.isBuffer(value) ? value.toString('hex').toUpperCase() : value
  }
}

function timeText(seconds: bigint): string {
  return [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, '0')).join(':')
}

function timestampText(value: bigint, unit: bigint): string {
  const fraction = ((value % unit) + unit) % unit
  const seconds = (value - fraction) / unit
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(unit === 1_000_000n ? 6 : 9, '0')}`
}

function scaleOf(type: PrimitiveType): number {
  return Number(/,\s*(\d+)\s*\)/.exec(type)?.[1] ?? 0)
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A literal of a filter as a value of the column's type. `Validation` when it cannot be one. */
export function valueOfJson(type: PrimitiveType, json: Json): Value {
  const value = readLiteral(type, json)
  if (value === undefined) throw validationError(`Invalid value for ${type} in filter`)
  return value
}

function readLiteral(type: PrimitiveType, json: Json): Value | undefined {
  const name = primitiveName(type) ?? ''
  switch (name) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined
    case 'int':
    case 'long':
      return (typeof json === 'number' && Number.isInteger(json)) || typeof json === 'bigint' ? json : undefined
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' ? Number(json) : undefined
    case 'string':
      return typeof json === 'string' ? json : undefined
    case 'decimal':
      return typeof json === 'string' || typeof json === 'number' ? unscaledOfText(String(json), scaleOf(type)) : undefined
    case 'uuid':
      return typeof json === 'string' && /^[0-9a-f-]{36}$/i.test(json) ? Buffer.from(json.replaceAll('-', ''), 'hex') : undefined
    case 'fixed':
    case 'binary':
      return typeof json === 'string' && /^([0-9a-f]{2})*$/i.test(json) ? Buffer.from(json, 'hex') : undefined
    default:
      return readTime(name, json)
  }
}

/** Dates and times as text, or already as the number that is stored. */
function readTime(name: string, json: Json): Value | undefined {
  if ((typeof json === 'number' && Number.isInteger(json)) || typeof json === 'bigint') return json
  if (typeof json !== 'string') return undefined
  if (name === 'date') return /^\d{4}-\d\d-\d\d$/.test(json) ? Date.parse(`${json}T00:00:00Z`) / dayMs : undefined
  if (name === 'time') return timeOfDay(json)
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(json)
  if (match === null || !(name in unitsPerSecond)) return undefined
  const unit = unitsPerSecond[name as keyof typeof unitsPerSecond]
  const seconds = Date.parse(`${match[1]}${match[3] ?? 'Z'}`) / 1000
  if (!Number.isInteger(seconds)) return undefined
  const fraction = BigInt((match[2] ?? '').padEnd(9, '0')) / (1_000_000_000n / unit)
  return int64Of(BigInt(seconds) * unit + fraction)
}

function timeOfDay(text: string): number | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text)
  if (match === null) return undefined
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])
  return seconds * 1_000_000 + Number((match[4] ?? '').padEnd(6, '0'))
}

function unscaledOfText(text: string, scale: number): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(\d+))?$/.exec(text)
  if (match === null) return undefined
  const shift = scale + Number(match[4] ?? 0) - (match[3]?.length ?? 0)
  if (shift < 0 || shift > 100) return undefined
  const unscaled = BigInt((match[2] ?? '') + (match[3] ?? '')) * 10n ** BigInt(shift)
  return match[1] === '-' ? -unscaled : unscaled
}

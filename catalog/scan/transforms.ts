import { int64Of, type Int64 } from '../json/json.ts'
import { parseTransform, type Transform } from '../spec/transform.ts'
import { primitiveName, type PrimitiveType } from '../spec/types.ts'
import { murmur3 } from './murmur3.ts'
import type { Value } from './values.ts'

/** The type of a transform's result. */
export function resultType(transform: Transform, source: PrimitiveType): PrimitiveType {
  switch (parseTransform(transform).name) {
    case 'bucket':
    case 'year':
    case 'month':
    case 'hour':
      return 'int'
    case 'day':
      return 'date'
    default:
      return source
  }
}

/** A transform's result for a value: https://iceberg.apache.org/spec/#partition-transforms. Undefined for transforms that are not known here. */
export function applyTransform(transform: Transform, type: PrimitiveType, value: Value): Value | undefined {
  const { name, width } = parseTransform(transform)
  switch (name) {
    case 'identity':
      return value
    case 'bucket':
      return (murmur3(hashedBytes(type, value)) & 0x7fffffff) % width
    case 'truncate':
      return truncate(value, width)
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
      return timePart(name, type, BigInt(value as Int64))
    default:
      return undefined
  }
}

/** https://iceberg.apache.org/spec/#appendix-b-32-bit-hash-requirements */
function hashedBytes(type: PrimitiveType, value: Value): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  const integer = BigInt(value)
  switch (primitiveName(type)) {
    case 'decimal':
      return minimalBytes(integer)
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return longBytes(floorDivide(integer, 1000n))
    default:
      return longBytes(integer)
  }
}

function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

/** The shortest two's complement, big endian. */
function minimalBytes(value: bigint): Buffer {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  return Buffer.from(BigInt.asUintN(length * 8, value).toString(16).padStart(length * 2, '0'), 'hex')
}

function truncate(value: Value, width: number): Value {
  if (typeof value === 'string') return Array.from(value).slice(0, width).join('')
  if (Buffer.isBuffer(value)) return value.subarray(0, width)
  const integer = BigInt(value)
  const truncated = floorDivide(integer, BigInt(width)) * BigInt(width)
  return typeof value === 'bigint' ? truncated : int64Of(truncated)
}

const unitsPerDay: Readonly<Record<string, bigint>> = {
  date: 1n,
  timestamp: 86_400_000_000n,
  timestamptz: 86_400_000_000n,
  timestamp_ns: 86_400_000_000_000n,
  timestamptz_ns: 86_400_000_000_000n,
}

function timePart(part: 'year' | 'month' | 'day' | 'hour', type: PrimitiveType, value: bigint): number | undefined {
  const unit = unitsPerDay[primitiveName(type) ?? '']
  if (unit === undefined) return undefined
  if (part === 'hour') return Number(floorDivide(value, unit / 24n))
  const days = Number(floorDivide(value, unit))
  if (part === 'day') return days
  const date = new Date(days * 86_400_000)
  const years = date.getUTCFullYear() - 1970
  return part === 'year' ? years : years * 12 + date.getUTCMonth()
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

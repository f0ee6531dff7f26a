/**
 * JSON values as Iceberg needs them: 64-bit integers stay exact.
 *
 * An integer is a `number` when it is a safe integer and a `bigint` otherwise, never both, so `===`
 * and `Map` keys compare integers rightly, and `<` does too. Members that are `undefined` are absent.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** A 64-bit integer: a snapshot id, a sequence number, a timestamp, a row id. */
export type Int64 = number | bigint

/** The one form of an integer: `number` when safe, else `bigint`. */
export function int64Of(value: bigint): Int64 {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

export function addInt64(left: Int64, right: Int64): Int64 {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return int64Of(BigInt(left) + BigInt(right))
}

export function maxInt64(left: Int64, right: Int64): Int64 {
  return left >= right ? left : right
}

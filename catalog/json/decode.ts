import type { Int64, Json, JsonObject } from './json.ts'

/**
 * Decoders turn untrusted JSON into typed values. They copy only the members they know, in the
 * order in which the decoder names them, so that equal values have equal JSON text.
 */
export type Decoder<T> = (value: Json | undefined, at: string) => T

/** A member that may be absent (or null). */
export interface OptionalDecoder<T> {
  (value: Json | undefined, at: string): T | undefined
  readonly isOptional: true
}

/** JSON of the wrong shape; the message names the place. */
export class JsonShapeError extends Error {
  override readonly name = 'JsonShapeError'
}

function wrong(at: string, expected: string, value: Json | undefined): JsonShapeError {
  if (value === undefined) return new JsonShapeError(`Cannot parse missing field: ${at}`)
  return new JsonShapeError(`Cannot parse ${at}: expected ${expected}`)
}

export const anyJson: Decoder<Json> = (value, at) => {
  if (value === undefined) throw wrong(at, 'a value', value)
  return value
}

export const string: Decoder<string> = (value, at) => {
  if (typeof value !== 'string') throw wrong(at, 'a string', value)
  return value
}

export const boolean: Decoder<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw wrong(at, 'true or false', value)
  return value
}

export const int32: Decoder<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) throw wrong(at, 'a 32-bit integer', value)
  return value
}

const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n

export const int64: Decoder<Int64> = (value, at) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'bigint' && value >= minInt64 && value <= maxInt64) return value
  throw wrong(at, 'a 64-bit integer', value)
}

export function optional<T>(decode: Decoder<T>): OptionalDecoder<T> {
  const read = (value: Json | undefined, at: string): T | undefined => (value === undefined || value === null ? undefined : decode(value, at))
  return Object.assign(read, { isOptional: true } as const)
}

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, at) => (value === null ? null : decode(value, at))
}

export function withDefault<T>(decode: Decoder<T>, fallback: T): Decoder<T> {
  return (value, at) => (value === undefined || value === null ? fallback : decode(value, at))
}

export function array<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, 'an array', value)
    return value.map((item: Json, index) => decode(item, `${at}[${index}]`))
  }
}

/** A map of names to values. Its prototype is null: a property may be called `constructor`. */
export function record<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, at) => {
    const source = asObject(value, at)
    const result = Object.create(null) as Record<string, T>
    for (const name of Object.keys(source)) result[name] = decode(source[name], `${at}.${name}`)
    return result
  }
}

export function oneOf<const T extends string>(...values: readonly T[]): Decoder<T> {
  return (value, at) => {
    const found = values.find((candidate) => candidate === value)
    if (found === undefined) throw wrong(at, `one of ${values.join(', ')}`, value)
    return found
  }
}

export function asObject(value: Json | undefined, at: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object', value)
  return value as JsonObject
}

type Shape = Readonly<Record<string, Decoder<unknown> | OptionalDecoder<unknown>>>
type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K] extends OptionalDecoder<unknown> ? K : never }[keyof S]
type Decoded<D> = D extends OptionalDecoder<infer T> ? T : D extends Decoder<infer T> ? T : never

export type ObjectOf<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Decoded<S[K]>
} & { readonly [K in OptionalKeys<S>]?: Decoded<S[K]> }

export function object<const S extends Shape>(shape: S): Decoder<ObjectOf<S>> {
  const members = Object.entries(shape)
  return (value, at) => {
    const source = asObject(value, at)
    const result: Record<string, unknown> = {}
    for (const [name, decode] of members) {
      const decoded = decode(Object.hasOwn(source, name) ? source[name] : undefined, at === '' ? name : `${at}.${name}`)
      if (decoded !== undefined) result[name] = decoded
    }
    return result as ObjectOf<S>
  }
}

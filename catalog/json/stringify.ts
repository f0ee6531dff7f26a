import { assert } from '../../base/assert.ts'
import type { Json } from './json.ts'

/** Compact JSON with exact integers. Members that are `undefined` are left out, as `JSON.stringify` does. */
export function stringifyJson(value: Json): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return value.toString()
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      return stringifyNumber(value)
    default:
      if (value === null) return 'null'
      return isArray(value) ? stringifyArray(value) : stringifyObject(value)
  }
}

/** What is not a safe integer keeps a fraction or an exponent, so that it is read as a double again. */
function stringifyNumber(value: number): string {
  assert(Number.isFinite(value), 'a JSON number is finite')
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes('e') ? `${text}.0` : text
}

export function stringifyJsonBytes(value: Json): Buffer {
  return Buffer.from(stringifyJson(value), 'utf8')
}

function isArray(value: readonly Json[] | { readonly [key: string]: Json | undefined }): value is readonly Json[] {
  return Array.isArray(value)
}

function stringifyArray(items: readonly Json[]): string {
  let text = '['
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ','
    text += stringifyJson(items[index] ?? null)
  }
  return `${text}]`
}

function stringifyObject(members: { readonly [key: string]: Json | undefined }): string {
  let text = '{'
  for (const name of Object.keys(members)) {
    const value = members[name]
    if (value === undefined) continue
    if (text.length > 1) text += ','
    text += `${JSON.stringify(name)}:${stringifyJson(value)}`
  }
  return `${text}}`
}

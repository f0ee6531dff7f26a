import { S3Error } from './errors.ts'
import { decodeUtf8 } from './percent.ts'

/** Decoded query parameters in the order of their first appearance; a name without `=` has the value ''. */
export type Query = ReadonlyMap<string, readonly string[]>

const empty: Query = new Map()
const maximumParameters = 1000

/**
 * Parses what follows the `?` of a request target: `+` is a space, repeated names keep all their values.
 * Broken escapes and invalid UTF-8 are `InvalidURI`.
 */
export function parseQuery(raw: string): Query {
  if (raw === '') return empty
  const query = new Map<string, string[]>()
  const parameters = raw.split('&')
  if (parameters.length > maximumParameters) throw new S3Error('InvalidURI')
  for (const parameter of parameters) {
    if (parameter === '') continue
    const equals = parameter.indexOf('=')
    const name = decodeParameter(equals < 0 ? parameter : parameter.slice(0, equals))
    const value = equals < 0 ? '' : decodeParameter(parameter.slice(equals + 1))
    const values = query.get(name)
    if (values === undefined) query.set(name, [value])
    else values.push(value)
  }
  return query
}

function decodeParameter(raw: string): string {
  return decodeUtf8(raw.includes('+') ? raw.replaceAll('+', ' ') : raw)
}

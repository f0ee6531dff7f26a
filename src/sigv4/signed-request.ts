import { canonicalEncodeComponent, decodeComponent } from './uri-encoding.ts'

/** A request as it came over the wire, one character per byte, as `node:http` gives it. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as the request line has them. */
  readonly url: string
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
}

/** A query parameter in canonical encoding. */
export interface QueryParameter {
  readonly name: string
  readonly value: string
}

/** The parts of a request that signatures are about. */
export interface RequestView {
  readonly method: string
  readonly path: string
  readonly rawQuery: string
  /** Canonically encoded, in the order sent. */
  readonly query: readonly QueryParameter[]
  /** Lower-case name to value: trimmed, runs of white space made one space, duplicates joined by commas. */
  readonly headers: ReadonlyMap<string, string>
}

export function viewRequest(request: SignedRequest): RequestView {
  const cut = request.url.indexOf('?')
  const rawQuery = cut < 0 ? '' : request.url.slice(cut + 1)
  return {
    method: request.method,
    path: cut < 0 ? request.url : request.url.slice(0, cut),
    rawQuery,
    query: parseQuery(rawQuery),
    headers: canonicalHeaders(request.rawHeaders),
  }
}

/** The first parameter of that name, decoded. `name` needs no encoding. */
export function queryValue(view: RequestView, name: string): string | undefined {
  for (const parameter of view.query) {
    if (parameter.name === name) return decodeComponent(parameter.value)
  }
  return undefined
}

function parseQuery(rawQuery: string): QueryParameter[] {
  const parameters: QueryParameter[] = []
  if (rawQuery === '') return parameters
  for (const piece of rawQuery.split('&')) {
    if (piece === '') continue
    const cut = piece.indexOf('=')
    parameters.push({
      name: canonicalEncodeComponent(cut < 0 ? piece : piece.slice(0, cut)),
      value: cut < 0 ? '' : canonicalEncodeComponent(piece.slice(cut + 1)),
    })
  }
  return parameters
}

const untidy = /^[ \t]|[ \t]$|[ \t]{2}|\t/

function canonicalHeaders(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const raw = rawHeaders[index + 1] ?? ''
    const value = untidy.test(raw) ? raw.trim().replace(/[ \t]+/g, ' ') : raw
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`)
  }
  return headers
}

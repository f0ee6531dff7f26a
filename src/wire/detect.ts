import { assert, must } from '../../base/assert.ts'
import type { Query } from './query.ts'
import { s3Operations } from './s3-operations.ts'
import type { S3Operation, S3OperationName } from './s3-operations.ts'

/**
 * Which operation a request asks for, decided from the traits of all operations of the S3 model: method, kind of
 * path, literal query parameters (`?uploads`, `list-type=2`), required parameters (`uploadId`) and required headers
 * (`x-amz-copy-source`). Not here: OPTIONS (CORS preflight) and POST of a form to a bucket.
 */
export interface DetectRequest {
  readonly method: string
  readonly pathKind: PathKind
  readonly query: Query
  /** Names in lower case. */
  readonly headers: Headers
}

export type PathKind = 'service' | 'bucket' | 'object'
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * `MethodNotAllowed`: a sub-resource that exists, but not here or not with this method.
 * `incomplete`: `name` belongs to an operation that needs more: a PUT with an `uploadId` but no `partNumber` is no PutObject.
 * `conflict`: several sub-resources at once; `names` are theirs.
 */
export type Detected =
  | { readonly operation: S3OperationName }
  | { readonly unknown: 'MethodNotAllowed' }
  | { readonly unknown: 'incomplete'; readonly name: string }
  | { readonly unknown: 'conflict'; readonly names: readonly string[] }

/** What a request must have to be an operation, beyond method and path. */
interface Candidate {
  readonly detected: { readonly operation: S3OperationName }
  readonly subresource: string | undefined
  /** Literal values (`list-type=2`); undefined where any value will do. */
  readonly query: readonly (readonly [name: string, value: string | undefined])[]
  readonly headers: readonly string[]
  /** Parameters that operations of the same method and path require, and this one does not have. */
  readonly foreign: readonly string[]
}

/**
 * Where the model alone does not tell operations apart. AWS answers ListDirectoryBuckets on an endpoint of its own;
 * here only the SDKs' `x-id` tells it from ListBuckets.
 */
const quirks: Partial<Record<S3OperationName, { readonly query: readonly (readonly [string, string])[] }>> = {
  ListDirectoryBuckets: { query: [['x-id', 'ListDirectoryBuckets']] },
}

/** A literal parameter that is no sub-resource by itself: other values of it are another operation's business. */
const literalParameters: ReadonlySet<string> = new Set(['list-type', 'select-type', 'x-id'])

const methodNotAllowed: Detected = { unknown: 'MethodNotAllowed' }

export function detectOperation(request: DetectRequest): Detected {
  const named = request.query.size === 0 ? undefined : subresourceOf(request.query)
  if (typeof named === 'object') return named
  const candidates = table.get(tableKey(request.method, request.pathKind, named))
  if (candidates === undefined) return methodNotAllowed
  for (const candidate of candidates) {
    if (!matches(candidate, request)) continue
    const name = request.query.size === 0 ? undefined : candidate.foreign.find((each) => request.query.has(each))
    return name === undefined ? candidate.detected : { unknown: 'incomplete', name }
  }
  return methodNotAllowed
}

function subresourceOf(query: Query): string | Detected | undefined {
  let found: string | undefined
  for (const name of query.keys()) {
    if (!subresources.has(name)) continue
    if (found !== undefined) return { unknown: 'conflict', names: [...query.keys()].filter((each) => subresources.has(each)) }
    found = name
  }
  return found
}

function matches(candidate: Candidate, request: DetectRequest): boolean {
  for (const [name, value] of candidate.query) {
    const values = request.query.get(name)
    if (values === undefined || (value !== undefined && values[0] !== value)) return false
  }
  for (const name of candidate.headers) {
    // Presigned URLs carry headers as parameters.
    if (request.headers[name] === undefined && !request.query.has(name)) return false
  }
  return true
}

// ---- the table

function tableKey(method: string, pathKind: PathKind, subresource: string | undefined): string {
  return `${method} ${pathKind} ${subresource ?? ''}`
}

function candidateOf(operation: S3Operation): Candidate {
  const literals = [...new URLSearchParams(operation.uri.split('?')[1] ?? '')].filter(([name]) => name !== 'x-id')
  const names = literals.map(([name]) => name).filter((name) => !literalParameters.has(name))
  assert(names.length <= 1, `${operation.name} has one sub-resource at most`)
  const values = literals.filter(([name]) => literalParameters.has(name))
  const required = operation.input.members.filter((member) => member.required)
  return {
    detected: { operation: operation.name },
    subresource: names[0],
    query: [
      ...values,
      ...(quirks[operation.name]?.query ?? []),
      ...required.flatMap(({ binding }) => (binding.to === 'query' ? [[binding.name, undefined] as const] : [])),
    ],
    headers: required.flatMap(({ binding }) => (binding.to === 'header' ? [binding.name.toLowerCase()] : [])),
    foreign: [],
  }
}

function foreignTo(candidate: Candidate, others: readonly Candidate[]): string[] {
  const own = must(s3Operations.get(candidate.detected.operation), 'candidates are operations').input.members
  const required = new Set(others.flatMap(({ query }) => query.map(([name]) => name)))
  return [...required].filter((name) => !literalParameters.has(name) && !own.some(({ binding }) => binding.to === 'query' && binding.name === name))
}

export function pathKindOf(operation: S3Operation): PathKind {
  if (operation.uri.startsWith('/{Key+}')) return 'object'
  // WriteGetObjectResponse has one literal segment, which reads as a bucket.
  const literalPath = operation.uri.split('?')[0] !== '/'
  return literalPath || operation.input.members.some((member) => member.binding.to === 'label') ? 'bucket' : 'service'
}

const subresources = new Set<string>()
const table = buildTable()

/** Sub-resource names of the whole model, and candidates by method, path and sub-resource, most specific first. */
function buildTable(): Map<string, readonly Candidate[]> {
  const entries = new Map<string, Candidate[]>()
  for (const operation of s3Operations.values()) {
    const candidate = candidateOf(operation)
    if (candidate.subresource !== undefined) subresources.add(candidate.subresource)
    const key = tableKey(operation.method, pathKindOf(operation), candidate.subresource)
    entries.set(key, [...(entries.get(key) ?? []), candidate])
  }
  for (const [key, candidates] of entries) entries.set(key, orderCandidates(key, candidates))
  return entries
}

/**
 * Most conditions first; of two with the same conditions neither could be told from the other.
 * Where a sub-resource has one operation, its other conditions decide nothing: a request without them is still
 * this operation, wrongly made (GetObjectAttributes without its header), and the reader says what it lacks.
 */
function orderCandidates(key: string, candidates: readonly Candidate[]): Candidate[] {
  const [only] = candidates
  if (candidates.length === 1 && only?.subresource !== undefined) return [{ ...only, headers: [], query: [] }]
  const ordered = candidates.toSorted((a, b) => conditionCount(b) - conditionCount(a))
  const conditions = new Set(ordered.map((candidate) => JSON.stringify([candidate.query, candidate.headers])))
  assert(conditions.size === ordered.length, `operations that cannot be told apart: ${key}: ${ordered.map((each) => each.detected.operation).join(', ')}`)
  return ordered.map((candidate) => ({ ...candidate, foreign: foreignTo(candidate, ordered) }))
}

function conditionCount(candidate: Candidate): number {
  return candidate.query.length + candidate.headers.length
}

import type { Json, JsonObject } from '../json/json.ts'
import { negate, readFilter, type Filter, type FilterScope } from './expression.ts'

/** What a test says of all rows of one file. */
export type Verdict = 'always' | 'never' | 'unknown'

/**
 * A filter as the client wrote it, its tests bound, every `not` pushed down to a test: a comparison
 * with null selects nothing, under a `not` neither.
 */
export type SourcedFilter =
  | { readonly kind: 'and' | 'or'; readonly left: SourcedFilter; readonly right: SourcedFilter }
  | { readonly kind: 'leaf'; readonly source: Json; readonly filter: Filter }

/** `BadRequest` as `readFilter`. */
export function sourcedFilter(json: Json, scope: FilterScope, negated = false): SourcedFilter {
  const source = typeof json === 'object' && json !== null ? (json as JsonObject) : {}
  const type = source['type']
  if (type === 'not') return sourcedFilter(source['child'] ?? null, scope, !negated)
  if (type === 'and' || type === 'or') {
    const sides = { left: sourcedFilter(source['left'] ?? null, scope, negated), right: sourcedFilter(source['right'] ?? null, scope, negated) }
    return { kind: (type === 'and') === negated ? 'or' : 'and', ...sides }
  }
  const filter = readFilter(json, scope)
  return negated ? { kind: 'leaf', source: { type: 'not', child: json }, filter: negate(filter) } : { kind: 'leaf', source: json, filter }
}

/**
 * What of the filter is left to be tested on the rows of a file: the client's own JSON without the
 * tests that hold of all of them, or of none. `true`: all rows are selected.
 */
export function residualOf(filter: SourcedFilter, verdict: (test: Filter) => Verdict): Json {
  if (filter.kind === 'leaf') {
    const known = verdict(filter.filter)
    return known === 'unknown' ? filter.source : known === 'always'
  }
  const left = residualOf(filter.left, verdict)
  const right = residualOf(filter.right, verdict)
  const neutral = filter.kind === 'and'
  if (left === !neutral || right === !neutral) return !neutral
  if (left === neutral) return right
  return right === neutral ? left : { type: filter.kind, left, right }
}

import { parseEtags } from './etags.ts'
import { parseHttpDate } from './http-date.ts'

/** The four read conditions as a request gave them: header values, and dates in milliseconds. */
export interface ReadConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSinceMs?: number | undefined
  readonly ifUnmodifiedSinceMs?: number | undefined
}

/** What they are about. `etag` without quotes. */
export interface Validators {
  readonly etag: string
  readonly lastModifiedMs: number
}

export type ConditionOutcome = 'proceed' | 'notModified' | 'preconditionFailed'

/**
 * RFC 9110 §13.2.2: If-Match decides over If-Unmodified-Since, If-None-Match over If-Modified-Since.
 * Dates are compared in whole seconds, as headers carry them. `InvalidArgument` for what is no ETag list.
 */
export function evaluateConditions(conditions: ReadConditions, current: Validators): ConditionOutcome {
  const { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs } = conditions
  if (ifMatch !== undefined) {
    if (!includesEtag(ifMatch, current.etag)) return 'preconditionFailed'
  } else if (ifUnmodifiedSinceMs !== undefined && isModifiedSince(current, ifUnmodifiedSinceMs)) {
    return 'preconditionFailed'
  }
  if (ifNoneMatch !== undefined) return includesEtag(ifNoneMatch, current.etag) ? 'notModified' : 'proceed'
  if (ifModifiedSinceMs !== undefined && !isModifiedSince(current, ifModifiedSinceMs)) return 'notModified'
  return 'proceed'
}

/** If-Range (RFC 9110 §13.1.5): whether a Range header is to be honoured. Weak ETags never match. */
export function ifRangeHolds(ifRange: string, current: Validators): boolean {
  const dateMs = parseHttpDate(ifRange)
  if (dateMs !== undefined) return toSeconds(dateMs) === toSeconds(current.lastModifiedMs)
  return ifRange === `"${current.etag}"`
}

function includesEtag(header: string, etag: string): boolean {
  const etags = parseEtags(header)
  return etags[0] === '*' || etags.includes(etag)
}

function isModifiedSince(current: Validators, sinceMs: number): boolean {
  return toSeconds(current.lastModifiedMs) > toSeconds(sinceMs)
}

function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

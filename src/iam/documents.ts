import { PolicyError } from '../policy/policy-error.ts'
import type { PolicyKind } from '../policy/language.ts'
import type { PolicyCache } from '../policy/policy-cache.ts'
import { QueryError } from '../wire/query-error.ts'

/** Characters without white space, as AWS counts a policy's size. */
export const inlineLimits = { user: 2048, group: 5120, role: 10_240 } as const
export const managedLimit = 6144
export const trustLimit = 8192

export const sizeOf = (document: string): number => document.replaceAll(/\s/g, '').length

/** The document, if it is a policy of its kind; else `MalformedPolicyDocument` with the place. */
export function checkDocument(policies: PolicyCache, document: string, kind: PolicyKind, limit: number): string {
  if (sizeOf(document) > limit) throw new QueryError('LimitExceeded', `Maximum policy size of ${limit} bytes exceeded`)
  try {
    policies.compiled(document, kind, 131_072)
  } catch (error) {
    if (error instanceof PolicyError) throw new QueryError('MalformedPolicyDocument', error.message)
    throw error
  }
  return document
}

/** Documents in answers are percent-encoded (RFC 3986), as AWS's are. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

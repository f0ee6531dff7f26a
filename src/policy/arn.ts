import { compilePattern, lacksValue, matchPattern } from './pattern.ts'
import type { Matched, Pattern, PatternRules, Resolve } from './pattern.ts'

/**
 * An ARN in a policy: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. Wildcards stay within a segment; the last one
 * is all the rest, colons and slashes included.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export type ArnPattern =
  | { readonly kind: 'all' }
  /** The first five segments have no wildcards: one pattern over the whole text cannot cross them. */
  | { readonly kind: 'whole'; readonly pattern: Pattern }
  | { readonly kind: 'segments'; readonly segments: readonly Pattern[] }

const segmentCount = 6

/** Undefined: no ARN, or a variable in it is not well formed. */
export function compileArn(text: string, rules: PatternRules): ArnPattern | undefined {
  if (text === '*') return { kind: 'all' }
  const segments = splitArn(text)
  if (segments === undefined || !/^(arn|\*)$/.test(segments[0] ?? '')) return undefined
  if (!segments.slice(0, -1).some(segment => /[*?$]/.test(segment))) {
    const pattern = compilePattern(text, rules)
    return pattern === undefined ? undefined : { kind: 'whole', pattern }
  }
  const patterns = segments.map(segment => compilePattern(segment, rules))
  return patterns.every(pattern => pattern !== undefined) ? { kind: 'segments', segments: patterns } : undefined
}

export function matchArn(pattern: ArnPattern, arn: string, resolve: Resolve): Matched {
  if (pattern.kind === 'all') return true
  if (pattern.kind === 'whole') return matchPattern(pattern.pattern, arn, resolve)
  const segments = splitArn(arn) ?? []
  // As of one pattern over the whole: a variable without a value leaves it open, whatever else there is.
  if (pattern.segments.some(segment => lacksValue(segment, resolve))) return 'unresolved'
  return segments.length === segmentCount && pattern.segments.every((segment, index) => matchPattern(segment, segments[index] ?? '', resolve) === true)
}

/** By the first five colons that stand outside `${…}`. */
function splitArn(text: string): readonly string[] | undefined {
  const segments: string[] = []
  let start = 0
  for (let at = 0; at < text.length && segments.length < segmentCount - 1; at += 1) {
    if (text.startsWith('${', at)) {
      const end = text.indexOf('}', at)
      if (end < 0) return undefined
      at = end
    } else if (text[at] === ':') {
      segments.push(text.slice(start, at))
      start = at + 1
    }
  }
  return segments.length === segmentCount - 1 ? [...segments, text.slice(start)] : undefined
}

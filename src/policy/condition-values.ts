import { compileArn, matchArn } from './arn.ts'
import { containsAddress, parseIpRange } from './ip-range.ts'
import { compilePattern, matchPattern, textOf } from './pattern.ts'
import type { Matched, Resolve } from './pattern.ts'

/** Whether one value of a request matches one value of a policy. */
export type Matcher = (value: string, resolve: Resolve) => Matched

type Family =
  | 'string' | 'stringIgnoringCase' | 'like' | 'arn' | 'ip' | 'bool' | 'binary'
  | `numeric${Comparison}` | `date${Comparison}`

type Comparison = '=' | '<' | '<=' | '>' | '>='

interface OperatorFamily {
  readonly family: Family
  /** Holds when no value matches, also when there is none. */
  readonly negated: boolean
}

const positive = (family: Family): OperatorFamily => ({ family, negated: false })
const negative = (family: Family): OperatorFamily => ({ family, negated: true })

/** Every operator but Null, in lower case. */
export const operatorFamilies = {
  stringequals: positive('string'),
  stringnotequals: negative('string'),
  stringequalsignorecase: positive('stringIgnoringCase'),
  stringnotequalsignorecase: negative('stringIgnoringCase'),
  stringlike: positive('like'),
  stringnotlike: negative('like'),
  numericequals: positive('numeric='),
  numericnotequals: negative('numeric='),
  numericlessthan: positive('numeric<'),
  numericlessthanequals: positive('numeric<='),
  numericgreaterthan: positive('numeric>'),
  numericgreaterthanequals: positive('numeric>='),
  dateequals: positive('date='),
  datenotequals: negative('date='),
  datelessthan: positive('date<'),
  datelessthanequals: positive('date<='),
  dategreaterthan: positive('date>'),
  dategreaterthanequals: positive('date>='),
  bool: positive('bool'),
  binaryequals: positive('binary'),
  ipaddress: positive('ip'),
  notipaddress: negative('ip'),
  arnequals: positive('arn'),
  arnlike: positive('arn'),
  arnnotequals: negative('arn'),
  arnnotlike: negative('arn'),
} as const satisfies Record<string, OperatorFamily>

/** Undefined: the policy's value is none of the family. */
export function compileMatcher(family: Family, text: string, variables: boolean): Matcher | undefined {
  switch (family) {
    case 'string':
      return stringMatcher(text, { wildcards: false, variables })
    case 'like':
      return stringMatcher(text, { wildcards: true, variables })
    case 'stringIgnoringCase':
      return foldedMatcher(text, variables)
    case 'arn': {
      const arn = compileArn(text, { wildcards: true, variables })
      return arn && ((value, resolve) => matchArn(arn, value, resolve))
    }
    case 'ip': {
      const range = parseIpRange(text)
      return range && (value => containsAddress(range, value))
    }
    case 'bool':
      return /^(true|false)$/i.test(text) ? value => value.toLowerCase() === text.toLowerCase() : undefined
    case 'binary':
      return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) ? value => value === text : undefined
    default:
      return orderMatcher(family, text)
  }
}

function stringMatcher(text: string, rules: { wildcards: boolean; variables: boolean }): Matcher | undefined {
  const pattern = compilePattern(text, rules)
  return pattern && ((value, resolve) => matchPattern(pattern, value, resolve))
}

function foldedMatcher(text: string, variables: boolean): Matcher | undefined {
  const pattern = compilePattern(text, { wildcards: false, variables })
  return (
    pattern &&
    ((value, resolve) => {
      const wanted = textOf(pattern, resolve)
      return wanted === undefined ? 'unresolved' : wanted.toLowerCase() === value.toLowerCase()
    })
  )
}

function orderMatcher(family: `numeric${Comparison}` | `date${Comparison}`, text: string): Matcher | undefined {
  const parse = family.startsWith('numeric') ? parseNumber : parseDate
  const wanted = parse(text)
  if (wanted === undefined) return undefined
  const holds = comparisons[family.replace(/^[a-z]+/, '') as Comparison]
  return value => {
    const given = parse(value)
    return given !== undefined && holds(given, wanted)
  }
}

const comparisons: Readonly<Record<Comparison, (given: number, wanted: number) => boolean>> = {
  '=': (given, wanted) => given === wanted,
  '<': (given, wanted) => given < wanted,
  '<=': (given, wanted) => given <= wanted,
  '>': (given, wanted) => given > wanted,
  '>=': (given, wanted) => given >= wanted,
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?\d{1,20}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined
}

const iso8601 = /^\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?)?$/

/** ISO 8601, or seconds since 1970 as `aws:EpochTime` has them. In milliseconds. */
function parseDate(text: string): number | undefined {
  if (/^-?\d{1,12}$/.test(text) && !/^\d{4}$/.test(text)) return Number(text) * 1000
  if (!/^\d{4}$/.test(text) && !iso8601.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

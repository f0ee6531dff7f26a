import { compileMatcher, operatorFamilies } from './condition-values.ts'
import { conditionKey } from './pattern.ts'
import type { Matcher } from './condition-values.ts'
import type { Matched, Resolve } from './pattern.ts'

/** What is known of a request: the values of a condition key, whose name is in the form of `conditionKey`. Undefined: none. */
export type Context = (key: string) => readonly string[] | undefined

/**
 * One line of a Condition block: all lines must hold.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export interface Condition {
  /** As written: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string
  /** As written: `aws:PrincipalTag/Team`. */
  readonly key: string
  readonly contextKey: string
  /** As written. */
  readonly values: readonly string[]
  readonly test: Test
}

type Test =
  | { readonly kind: 'null'; readonly absent: boolean }
  | {
      readonly kind: 'values'
      readonly qualifier: 'ForAllValues' | 'ForAnyValue' | undefined
      readonly ifExists: boolean
      readonly negated: boolean
      readonly matchers: readonly Matcher[]
    }

export interface ConditionOperator {
  readonly qualifier: 'ForAllValues' | 'ForAnyValue' | undefined
  readonly ifExists: boolean
  readonly name: string
}

/** Undefined: there is no such operator. Names are taken in any case, as IAM does. */
export function parseOperator(text: string): ConditionOperator | undefined {
  const [, qualifier, base = '', suffix] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i.exec(text) ?? []
  const name = base.toLowerCase()
  if (name === 'null') return qualifier === undefined && suffix === undefined ? { qualifier: undefined, ifExists: false, name } : undefined
  if (!Object.hasOwn(operatorFamilies, name)) return undefined
  const lower = qualifier?.toLowerCase()
  return { qualifier: lower === undefined ? undefined : lower === 'forallvalues' ? 'ForAllValues' : 'ForAnyValue', ifExists: suffix !== undefined, name }
}

/** Undefined: a value is none for the operator; `index` says which. */
export function compileCondition(
  operator: string, key: string, values: readonly string[], variables: boolean,
): Condition | { readonly invalidValue: number } | undefined {
  const parsed = parseOperator(operator)
  if (parsed === undefined) return undefined
  const common = { operator, key, contextKey: conditionKey(key), values }
  if (parsed.name === 'null') {
    const [value = ''] = values
    const absent = value.toLowerCase()
    if (values.length !== 1 || (absent !== 'true' && absent !== 'false')) return { invalidValue: 0 }
    return { ...common, test: { kind: 'null', absent: absent === 'true' } }
  }
  const { negated, family } = operatorFamilies[parsed.name as keyof typeof operatorFamilies]
  const matchers: Matcher[] = []
  for (const [index, value] of values.entries()) {
    const matcher = compileMatcher(family, value, variables)
    if (matcher === undefined) return { invalidValue: index }
    matchers.push(matcher)
  }
  const { qualifier, ifExists } = parsed
  return { ...common, test: { kind: 'values', qualifier, ifExists, negated, matchers } }
}

/**
 * Whether the condition holds. Where a policy variable has no value, the answer is the one that gives no right:
 * no for an Allow, and for a Deny what a value that matches nothing gives.
 */
export function conditionHolds({ contextKey, test }: Condition, context: Context, resolve: Resolve, effect: 'Allow' | 'Deny'): boolean {
  const given = context(contextKey)
  const present = given !== undefined && given.length > 0
  if (test.kind === 'null') return test.absent !== present
  const { qualifier, ifExists, negated, matchers } = test
  if (!present) return ifExists || qualifier === 'ForAllValues' || (negated && qualifier === undefined)
  const holds = (value: string): boolean => {
    const matched = anyMatches(matchers, value, resolve)
    if (matched === 'unresolved') return negated && effect === 'Deny'
    return matched !== negated
  }
  if (qualifier === 'ForAnyValue') return given.some(holds)
  // Without a qualifier several values are as in MinIO: one must match, or with a negated operator none.
  return qualifier === 'ForAllValues' || negated ? given.every(holds) : given.some(holds)
}

function anyMatches(matchers: readonly Matcher[], value: string, resolve: Resolve): Matched {
  let outcome: Matched = false
  for (const matcher of matchers) {
    const matched = matcher(value, resolve)
    if (matched === true) return true
    if (matched === 'unresolved') outcome = matched
  }
  return outcome
}

import { conditionHolds } from './conditions.ts'
import { evaluatePolicy, matchesAction, matchesResource, resolverOf } from './evaluate.ts'
import { namingOf } from './principals.ts'
import type { AccessRequest, Decision, PoliciesInForce, PolicySource } from './evaluate.ts'
import type { NamedPolicy, Statement } from './language.ts'

/** What became of one statement: it applies, or the first element that is not about the request. */
export interface StatementOutcome {
  readonly source: PolicySource
  readonly policy: string
  /** From 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  readonly outcome: 'applies' | 'action' | 'resource' | 'principal' | 'condition'
  /** Of `condition`: the first that does not hold, and what the request has instead. */
  readonly condition?: { readonly operator: string; readonly key: string; readonly wanted: readonly string[]; readonly given: readonly string[] | undefined }
}

export interface Explanation extends Decision {
  readonly statements: readonly StatementOutcome[]
}

/** The decision, and of every statement in force whether it applies, and if not, why. */
export function explainDecision(request: AccessRequest, policies: PoliciesInForce): Explanation {
  const { identity, boundary = [], session = [], limits, resource } = policies
  const of = (source: PolicySource, named: readonly NamedPolicy[]) =>
    named.flatMap(({ name, policy }) => policy.statements.map(statement => outcomeOf(request, source, name, statement)))
  const statements = [...of('resource', resource), ...of('identity', identity), ...of('boundary', boundary), ...of('session', session), ...of('limit', limits.flat())]
  return { ...evaluatePolicy(request, policies), statements }
}

function outcomeOf(request: AccessRequest, source: PolicySource, policy: string, statement: Statement): StatementOutcome {
  const { index, sid, effect, principals, actions, resources, conditions } = statement
  const { principal, action, resource, context } = request
  const resolve = resolverOf(context)
  const common = { source, policy, index, sid, effect }
  if (!matchesAction(actions, action.toLowerCase())) return { ...common, outcome: 'action' }
  if (resources !== undefined && !matchesResource(resources, resource, resolve, effect)) return { ...common, outcome: 'resource' }
  if (principals !== undefined && namingOf(principals, principal, effect) === undefined) return { ...common, outcome: 'principal' }
  const failed = conditions.find(condition => !conditionHolds(condition, context, resolve, effect))
  if (failed === undefined) return { ...common, outcome: 'applies' }
  const { operator, key, values, contextKey } = failed
  return { ...common, outcome: 'condition', condition: { operator, key, wanted: values, given: context(contextKey) } }
}

const sourceNames: Readonly<Record<PolicySource, string>> = {
  identity: 'the caller’s own policies', boundary: 'the permission boundary', session: 'the session policy', limit: 'a limit of the credentials', resource: 'the resource’s policy',
}

/** The explanation in words, a line for the decision and one for each statement. */
export function explanationText({ decision, because, statements }: Explanation): string {
  const lines = [`${decision === 'allow' ? 'Allowed' : 'Denied'}: ${reasonOf({ decision, because })}`]
  for (const statement of statements) {
    const { source, policy, index, sid, effect, outcome, condition } = statement
    const name = `${policy}, statement ${index + 1}${sid === undefined ? '' : ` (${sid})`}`
    const detail =
      condition === undefined
        ? outcome === 'applies' ? 'applies' : `is about another ${outcome}`
        : `${condition.operator} ${condition.key} wants ${condition.wanted.join(', ')}, and the request has ${condition.given?.join(', ') ?? 'none'}`
    lines.push(`  ${effect} of ${sourceNames[source]}: ${name}: ${detail}`)
  }
  return `${lines.join('\n')}\n`
}

/** A decision on one action, as logs and audit records show it. */
export interface NotedDecision {
  readonly effect: 'allow' | 'deny'
  readonly because: string
}

export function notedDecision(action: string, decision: Decision): NotedDecision {
  return { effect: decision.decision, because: `${action}: ${reasonOf(decision)}` }
}

/** What a decision rests on, in words. */
export function reasonOf({ decision, because }: Decision): string {
  switch (because.kind) {
    case 'serverRoot':
      return 'the server’s root may do everything'
    case 'accountRoot':
      return 'the account’s own key may do everything in it'
    case 'grant':
      return `${because.name} grants it`
    case 'service':
      return because.outcome === 'fails' ? 'the policy service gives no answer' : `the policy service ${because.outcome} it`
    case 'missing':
      return `nothing in ${sourceNames[because.source]} allows it`
    case 'statement':
      return `${because.policy}, statement ${because.index + 1}${because.sid === undefined ? '' : ` (${because.sid})`}, ${decision === 'allow' ? 'allows' : 'denies'} it`
  }
}

import { conditionHolds, type Context } from './conditions.ts'
import { namingOf, type Naming } from './principals.ts'
import { matchArn } from './arn.ts'
import { matchPattern, type Resolve } from './pattern.ts'
import type { Actions, NamedPolicy, Policy, Resources, Statement } from './language.ts'
import type { Principal, PrincipalPolicies } from './principal.ts'

/** One action on one resource, which somebody asks for. */
export interface AccessRequest {
  readonly principal: Principal
  /** `s3:GetObject`, in the case of the documentation. */
  readonly action: string
  /** The ARN, not encoded: a key stands in it as it is. Several names of one thing: whichever a statement has. */
  readonly resource: string | readonly string[]
  /** The account that owns the resource: 12 digits. Undefined: there is none, so nobody asks from within. */
  readonly resourceAccountId: string | undefined
  readonly context: Context
}

/** Everything that has a say. The caller's own are `principal.policies`. */
export interface PoliciesInForce extends PrincipalPolicies {
  /** A bucket's or table's policy, a role's trust policy. */
  readonly resource: readonly NamedPolicy[]
  /** What an access control list of the resource grants, in its words, and to whom. */
  readonly grant?: { readonly to: 'account' | 'everyone'; readonly name: string }
}

export interface Decision {
  readonly decision: 'allow' | 'deny'
  readonly because: Because
}

export type PolicySource = 'identity' | 'boundary' | 'session' | 'limit' | 'resource'

/** `statement`: it allows, or explicitly denies. `missing`: nothing of that source allows. `service`: what an external policy service says, or that it says nothing. */
export type Because =
  | { readonly kind: 'serverRoot' }
  | { readonly kind: 'accountRoot' }
  | { readonly kind: 'grant'; readonly name: string }
  | { readonly kind: 'statement'; readonly source: PolicySource; readonly policy: string; readonly index: number; readonly sid: string | undefined }
  | { readonly kind: 'missing'; readonly source: PolicySource }
  | { readonly kind: 'service'; readonly outcome: 'allows' | 'refuses' | 'fails' }

/**
 * AWS's evaluation: an explicit deny anywhere wins; then what grants, and whether every limit allows it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 *
 * Within one account an identity policy or the resource's policy is enough; across accounts it takes both. What a
 * resource's policy grants to a user's own ARN is not limited by the boundary, what it grants to a session's own ARN
 * not by boundary nor session policy, and what it grants to the account is only for the account to hand on.
 * `limits` and the operator's own rights are ours: limits bind everybody, other policies do not bind the server's root.
 */
export function evaluatePolicy(request: AccessRequest, policies: PoliciesInForce): Decision {
  const asked: Asked = { ...request, actionLower: request.action.toLowerCase(), resolve: resolverOf(request.context) }
  const { principal } = request
  const isServerRoot = principal.kind === 'serverRoot'
  const denied = isServerRoot ? deniedByLimits(asked, policies) : firstDeny(asked, policies)
  if (denied !== undefined) return { decision: 'deny', because: denied }
  const limited = firstLimit(asked, isServerRoot && policies.session !== undefined ? [...policies.limits, policies.session] : policies.limits)
  if (limited !== undefined) return { decision: 'deny', because: limited }
  if (isServerRoot) return { decision: 'allow', because: { kind: 'serverRoot' } }
  const granted = resourceGrant(asked, policies)
  const within = principal.kind !== 'anonymous' && principal.accountId === request.resourceAccountId
  if (granted !== undefined && passesOver(granted.naming, within)) return { decision: 'allow', because: granted.because }
  if (principal.kind === 'anonymous') return granted === undefined ? missing('resource') : { decision: 'allow', because: granted.because }
  return limitedDecision(asked, policies, granted, within)
}

interface Asked extends AccessRequest {
  readonly actionLower: string
  readonly resolve: Resolve
}

interface Granted {
  readonly naming: Naming
  readonly because: Because
}

const missing = (source: PolicySource): Decision => ({ decision: 'deny', because: { kind: 'missing', source } })

/** A grant that needs neither identity policies nor boundary nor session policy. */
const passesOver = (naming: Naming, within: boolean): boolean => within && naming === 'session'

function limitedDecision(asked: Asked, policies: PoliciesInForce, granted: Granted | undefined, within: boolean): Decision {
  if (policies.session !== undefined && allowing(asked, 'session', policies.session) === undefined) return missing('session')
  if (within && granted?.naming === 'identity') return { decision: 'allow', because: granted.because }
  if (policies.boundary !== undefined && allowing(asked, 'boundary', policies.boundary) === undefined) return missing('boundary')
  const direct = granted !== undefined && granted.naming !== 'account'
  if (within && direct) return { decision: 'allow', because: granted.because }
  const own: Because | undefined = asked.principal.kind === 'accountRoot' ? { kind: 'accountRoot' } : allowing(asked, 'identity', policies.identity)
  if (own === undefined) return missing('identity')
  if (within) return { decision: 'allow', because: own }
  return granted === undefined ? missing('resource') : { decision: 'allow', because: granted.because }
}

function firstDeny(asked: Asked, { identity, boundary = [], session = [], resource, limits }: PoliciesInForce): Because | undefined {
  return (
    denying(asked, 'resource', resource) ?? denying(asked, 'identity', identity) ?? denying(asked, 'boundary', boundary) ??
    deniedByLimits(asked, { session, limits })
  )
}

function deniedByLimits(asked: Asked, { session = [], limits }: Pick<PoliciesInForce, 'session' | 'limits'>): Because | undefined {
  const inSession = denying(asked, 'session', session)
  if (inSession !== undefined || limits.length === 0) return inSession
  return denying(asked, 'limit', limits.flat())
}

function firstLimit(asked: Asked, limits: PoliciesInForce['limits']): Because | undefined {
  const binding = limits.some(limit => allowing(asked, 'limit', limit) === undefined)
  return binding ? { kind: 'missing', source: 'limit' } : undefined
}

/** The strongest that the resource's policies and lists grant. */
function resourceGrant(asked: Asked, { resource, grant }: PoliciesInForce): Granted | undefined {
  let best: Granted | undefined = grant === undefined ? undefined : { naming: grant.to, because: { kind: 'grant', name: grant.name } }
  for (const { name, policy } of resource) {
    for (const statement of statementsAbout(policy, asked.actionLower).Allow) {
      if (statement.principals === undefined) continue
      const naming = namingOf(statement.principals, asked.principal, 'Allow')
      if (naming === undefined || (best !== undefined && strength[naming] <= strength[best.naming])) continue
      if (isAbout(statement, asked)) best = { naming, because: becauseOf('resource', name, statement) }
    }
  }
  return best
}

const strength: Readonly<Record<Naming, number>> = { account: 0, everyone: 1, role: 1, identity: 2, session: 3 }

function denying(asked: Asked, source: PolicySource, policies: readonly NamedPolicy[]): Because | undefined {
  return find(asked, source, policies, 'Deny')
}

function allowing(asked: Asked, source: PolicySource, policies: readonly NamedPolicy[]): Because | undefined {
  return find(asked, source, policies, 'Allow')
}

function find(asked: Asked, source: PolicySource, policies: readonly NamedPolicy[], effect: 'Allow' | 'Deny'): Because | undefined {
  for (const { name, policy } of policies) {
    for (const statement of statementsAbout(policy, asked.actionLower)[effect]) {
      if (!isAbout(statement, asked)) continue
      if (statement.principals !== undefined && namingOf(statement.principals, asked.principal, effect) === undefined) continue
      return becauseOf(source, name, statement)
    }
  }
  return undefined
}

function becauseOf(source: PolicySource, policy: string, { index, sid }: Statement): Because {
  return { kind: 'statement', source, policy, index, sid }
}

type ByEffect = Readonly<Record<Statement['effect'], readonly Statement[]>>

const byAction = new WeakMap<Policy, Map<string, ByEffect>>()

/** A policy's statements about an action, found once: there are as many actions as the tables have, and no client makes one up. */
function statementsAbout(policy: Policy, actionLower: string): ByEffect {
  let known = byAction.get(policy)
  if (known === undefined) {
    known = new Map()
    byAction.set(policy, known)
  }
  let found = known.get(actionLower)
  if (found === undefined) {
    const about = policy.statements.filter(({ actions }) => matchesAction(actions, actionLower))
    found = { Allow: about.filter(({ effect }) => effect === 'Allow'), Deny: about.filter(({ effect }) => effect === 'Deny') }
    if (known.size < maxKnownActions) known.set(actionLower, found)
  }
  return found
}

/** Simulations ask for whatever they are told. */
const maxKnownActions = 500

/** Resource and conditions; whom the statement is about is looked at elsewhere. */
function isAbout({ resources, conditions, effect }: Statement, { resource, context, resolve }: Asked): boolean {
  return (
    (resources === undefined || matchesResource(resources, resource, resolve, effect)) &&
    conditions.every(condition => conditionHolds(condition, context, resolve, effect))
  )
}

/** `actionLower` is in lower case. */
export function matchesAction({ negated, patterns }: Actions, actionLower: string): boolean {
  return patterns.some(pattern => matchPattern(pattern, actionLower, noVariables) === true) !== negated
}

/** Where a variable has no value, NotResource gives no right and takes what it can. */
export function matchesResource({ negated, patterns }: Resources, resource: AccessRequest['resource'], resolve: Resolve, effect: 'Allow' | 'Deny'): boolean {
  let unresolved = false
  for (const arn of typeof resource === 'string' ? [resource] : resource) {
    for (const pattern of patterns) {
      const matched = matchArn(pattern, arn, resolve)
      if (matched === true) return !negated
      if (matched === 'unresolved') unresolved = true
    }
  }
  return negated && !(unresolved && effect === 'Allow')
}

const noVariables: Resolve = () => undefined

/** A variable stands for a key that has exactly one value. Each is looked up once. */
export function resolverOf(context: Context): Resolve {
  const known = new Map<string, string | undefined>()
  return key => {
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found
    const values = context(key)
    const value = values?.length === 1 ? values[0] : undefined
    known.set(key, value)
    return value
  }
}

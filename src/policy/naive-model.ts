/**
 * For tests: AWS's evaluation written down step by step from its documentation, over documents as they are, with regular
 * expressions and nothing shared with the evaluator. It knows the elements that `policy-arbitrary.ts` makes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export interface NaiveStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: unknown
  readonly NotPrincipal?: unknown
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

export interface NaiveDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly NaiveStatement[]
}

export interface NaiveWho {
  readonly kind: 'accountRoot' | 'user' | 'roleSession' | 'anonymous'
  readonly account: string
  /** The user's or role's. */
  readonly arn: string
  readonly sessionArn?: string
}

export interface NaiveRequest {
  readonly who: NaiveWho
  readonly action: string
  readonly resource: string
  readonly resourceAccount: string
  /** Keys in lower case. */
  readonly context: Readonly<Record<string, readonly string[]>>
}

export interface NaivePolicies {
  readonly identity: readonly NaiveDocument[]
  readonly boundary?: NaiveDocument
  readonly session?: NaiveDocument
  readonly limits: readonly NaiveDocument[]
  readonly resource?: NaiveDocument
}

export function naiveDecision(request: NaiveRequest, policies: NaivePolicies): 'allow' | 'deny' {
  const { identity, boundary, session, limits, resource } = policies
  const { who } = request
  // Step 1: an explicit deny anywhere.
  const all = [...identity, ...(boundary ? [boundary] : []), ...(session ? [session] : []), ...limits, ...(resource ? [resource] : [])]
  if (all.some(document => document.Statement.some(statement => statement.Effect === 'Deny' && speaksOf(statement, request)))) return 'deny'
  // Ours: limits bind whatever grants.
  if (!limits.every(limit => allows(limit, request))) return 'deny'
  // Step 2: what the resource's policy says of this caller, and how it names it.
  const grants = (resource?.Statement ?? []).filter(statement => statement.Effect === 'Allow' && speaksOf(statement, request)).map(statement => namings(statement, who))
  const granted = (name: string): boolean => grants.some(names => names.includes(name))
  if (who.kind === 'anonymous') return granted('everyone') ? 'allow' : 'deny'
  const sameAccount = who.account === request.resourceAccount
  const bounded = boundary === undefined || allows(boundary, request)
  const inSession = session === undefined || allows(session, request)
  const own = who.kind === 'accountRoot' || identity.some(document => allows(document, request))
  if (!sameAccount) {
    // Both accounts must say yes.
    return grants.some(names => names.length > 0) && own && bounded && inSession ? 'allow' : 'deny'
  }
  // A grant to the session's own ARN is direct.
  if (granted('session')) return 'allow'
  // A grant to the user's own ARN is not limited by the boundary.
  if (granted('user') && inSession) return 'allow'
  // A grant to the role's ARN, or to everybody, needs no identity policy, but boundary and session policy limit it.
  if ((granted('role') || granted('everyone')) && bounded && inSession) return 'allow'
  // A grant to the account is for the account to hand on: its own policies decide, as without a grant.
  return own && bounded && inSession ? 'allow' : 'deny'
}

const allows = (document: NaiveDocument, request: NaiveRequest): boolean => document.Statement.some(statement => statement.Effect === 'Allow' && speaksOf(statement, request))

function speaksOf(statement: NaiveStatement, request: NaiveRequest): boolean {
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement
  const principalSet = 'Principal' in statement || 'NotPrincipal' in statement
  if (principalSet && namings(statement, request.who).length === 0) return false
  const hasAction = (list: readonly string[]): boolean => list.some(pattern => glob(pattern, 'i').test(request.action))
  if (Action !== undefined ? !hasAction(Action) : hasAction(NotAction ?? [])) return false
  const values = substitute(Resource ?? NotResource ?? [], request)
  const hasResource = values.some(value => value !== undefined && resourceGlob(value).test(request.resource))
  if (Resource !== undefined && !hasResource) return false
  if (NotResource !== undefined && (hasResource || (statement.Effect === 'Allow' && values.includes(undefined)))) return false
  return Object.entries(Condition).every(([operator, lines]) =>
    Object.entries(lines).every(([key, wanted]) => holds(operator, request.context[key.toLowerCase()], wanted, request, statement.Effect)),
  )
}

/** In which ways the statement's Principal (or NotPrincipal) is about the caller. */
function namings(statement: NaiveStatement, who: NaiveWho): string[] {
  const named = (element: unknown): string[] => {
    const list = element === '*' ? ['*'] : [(element as { AWS: string | readonly string[] }).AWS].flat()
    const names: string[] = []
    if (list.includes('*')) names.push('everyone')
    if (who.kind === 'anonymous') return names
    if (list.includes(who.account) || list.includes(`arn:aws:iam::${who.account}:root`)) names.push('account')
    if (list.includes(who.arn) && who.kind !== 'accountRoot') names.push(who.kind === 'user' ? 'user' : 'role')
    if (who.sessionArn !== undefined && list.includes(who.sessionArn)) names.push('session')
    return names
  }
  if ('Principal' in statement) return named(statement.Principal)
  if (!('NotPrincipal' in statement)) return ['identity']
  const names = named(statement.NotPrincipal)
  if (statement.Effect === 'Allow') return names.length === 0 ? ['everyone'] : []
  // A Deny spares only whom it lists with the account, and of a session the role and the session too.
  const complete = who.kind === 'anonymous' ? [] : who.kind === 'accountRoot' ? ['account'] : who.kind === 'user' ? ['account', 'user'] : ['account', 'role', 'session']
  const spared = names.includes('everyone') || (complete.length > 0 && complete.every(name => names.includes(name)))
  return spared ? [] : ['everyone']
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

const glob = (pattern: string, flags = ''): RegExp => new RegExp(`^${escaped(pattern).replaceAll('\\*', '[^]*').replaceAll('\\?', '[^]')}$`, `${flags}u`)

/** A variable's value is text: its wildcards are none. */
const literal = (text: string): string => text.replaceAll('*', '\uE000').replaceAll('?', '\uE001')

function resourceGlob(value: string): RegExp {
  return new RegExp(glob(value).source.replaceAll('\uE000', '\\*').replaceAll('\uE001', '\\?'), 'u')
}

/** Undefined: a variable without a value. */
function substitute(values: readonly string[], { context }: NaiveRequest): (string | undefined)[] {
  return values.map(value => {
    let missing = false
    const text = value.replaceAll(/\$\{([^}]*)\}/g, (_, inside: string) => {
      const [name = '', otherwise] = inside.split(/,\s*/)
      const known = context[name.trim().toLowerCase()]
      if (known?.length === 1) return literal(known[0] ?? '')
      if (otherwise !== undefined) return literal(otherwise.replaceAll("'", ''))
      missing = true
      return ''
    })
    return missing ? undefined : text
  })
}

function holds(operator: string, given: readonly string[] | undefined, wanted: readonly string[], request: NaiveRequest, effect: 'Allow' | 'Deny'): boolean {
  const [, qualifier, name = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(operator) ?? []
  const present = given !== undefined && given.length > 0
  if (name === 'Null') return wanted[0] === 'true' ? !present : present
  const negated = name.includes('Not')
  if (!present) return ifExists !== undefined || qualifier === 'ForAllValues' || (negated && qualifier === undefined)
  const matches = (value: string): boolean | undefined => {
    const results = substitute(wanted, request).map(text => (text === undefined ? undefined : one(name.replace('Not', ''), value, text)))
    return results.includes(true) ? true : results.includes(undefined) ? undefined : false
  }
  const good = (value: string): boolean => {
    const matched = matches(value)
    if (matched === undefined) return negated && effect === 'Deny'
    return negated ? !matched : matched
  }
  if (qualifier === 'ForAnyValue') return given.some(good)
  return qualifier === 'ForAllValues' || negated ? given.every(good) : given.some(good)
}

function one(operator: string, value: string, wanted: string): boolean {
  const plain = wanted.replaceAll('\uE000', '*').replaceAll('\uE001', '?')
  switch (operator) {
    case 'StringEquals':
      return value === plain
    case 'StringEqualsIgnoreCase':
      return value.toLowerCase() === plain.toLowerCase()
    case 'StringLike':
      return resourceGlob(wanted).test(value)
    case 'NumericEquals':
      return Number(value) === Number(plain)
    case 'NumericLessThan':
      return Number(value) < Number(plain)
    case 'NumericGreaterThanEquals':
      return Number(value) >= Number(plain)
    case 'Bool':
      return value === plain
    default:
      throw new Error(`the model does not know ${operator}`)
  }
}

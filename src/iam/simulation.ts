import type { ContextEntry, EvaluationResult, SimulatePolicyResponse, Statement } from '@aws-sdk/client-iam'
import { arnPattern } from './simulation-names.ts'
import { evaluatePolicy, type Because } from '../policy/evaluate.ts'
import type { NamedPolicy } from '../policy/language.ts'
import { conditionKey } from '../policy/pattern.ts'
import type { Principal, PrincipalPolicies } from '../policy/principal.ts'
import { requestContext } from '../policy/request-context.ts'
import { iamArn, type GroupRecord } from '../identity/iam-records.ts'
import { resolvePrincipal, userPrincipal } from '../identity/resolve-principal.ts'
import { QueryError } from '../wire/query-error.ts'
import { checkDocument } from './documents.ts'
import { requireEntity } from './entities.ts'
import type { IamCall } from './operation.ts'
import { pageOf, type PageInput } from './paging.ts'

export interface SimulationInput extends PageInput {
  readonly PolicyInputList?: string[] | undefined
  readonly PermissionsBoundaryPolicyInputList?: string[] | undefined
  readonly ActionNames?: string[] | undefined
  readonly ResourceArns?: string[] | undefined
  readonly ResourcePolicy?: string | undefined
  readonly ResourceOwner?: string | undefined
  readonly CallerArn?: string | undefined
  readonly ContextEntries?: ContextEntry[] | undefined
}

/** More than that is no question that anybody asks at once. */
const mostDecisions = 1000
const documentLimit = 131_072

/** Decides every action on every resource as a request would, with the policies of `subject` and those given besides. */
export async function simulate(input: SimulationInput, subject: Principal | undefined, call: IamCall): Promise<SimulatePolicyResponse> {
  const { ActionNames: actions = [], ResourceArns: resources = ['*'] } = input
  if (actions.length * resources.length > mostDecisions) throw new QueryError('InvalidInput', `At most ${mostDecisions} decisions can be simulated at once.`)
  if (actions.some(action => !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(action))) throw new QueryError('InvalidInput', 'An action name is SERVICE:ACTION.')
  const principal = await simulated(input, subject, call)
  const policies = policiesOf(input, principal, call)
  const context = contextOf(input, principal, call)
  const results = actions.flatMap(action => resources.map((resource): EvaluationResult => {
    const decided = evaluatePolicy({ principal, action, resource, resourceAccountId: ownerOf(input, principal), context }, policies)
    return {
      EvalActionName: action,
      EvalResourceName: resource,
      EvalDecision: decided.decision === 'allow' ? 'allowed' : decided.because.kind === 'statement' ? 'explicitDeny' : 'implicitDeny',
      MatchedStatements: matched(decided.because),
      MissingContextValues: [],
    }
  }))
  const numbered = results.map((result, index) => ({ result, number: String(index).padStart(6, '0') }))
  const { items, paging } = await pageOf(input, ({ number }) => number, numbered)
  return { EvaluationResults: items.map(({ result }) => result), ...paging }
}

/** The user, group or role whose policies are asked about; a role as a session of it, a group as one member with nothing else. */
export async function simulatedPrincipal(arn: string | undefined, { iam, accountId, caller, identity, policies }: IamCall): Promise<Principal> {
  const { kind, name } = arnPattern(arn, accountId)
  const parts = { extensions: identity.extensions, policies }
  if (kind === 'role') {
    const role = await requireEntity(iam, 'role', name)
    const principal = await resolvePrincipal(parts, caller.account, { subject: { kind: 'role', name: role.name, id: role.id, sessionName: 'simulation' }, limits: [] })
    if (principal !== undefined) return principal
  }
  if (kind === 'group') return memberOf(await requireEntity(iam, 'group', name), { iam, caller, identity, policies })
  return userPrincipal(parts, iam, caller.account, await requireEntity(iam, 'user', name))
}

function memberOf({ path, attached, inline, id, createdAtMs }: GroupRecord, { iam, caller, identity, policies }: Pick<IamCall, 'iam' | 'caller' | 'identity' | 'policies'>): Promise<Principal> {
  const member = { name: 'member', path, id, createdAtMs, attached, inline, tags: {}, groups: [] }
  return userPrincipal({ extensions: identity.extensions, policies }, iam, caller.account, member)
}

/** Who asks: the subject, or the account's user of `CallerArn`, or a user who has only what is given. */
async function simulated({ CallerArn }: SimulationInput, subject: Principal | undefined, call: IamCall): Promise<Principal> {
  if (CallerArn === undefined && subject !== undefined) return subject
  if (CallerArn !== undefined) {
    const named = await simulatedPrincipal(CallerArn, call)
    return subject === undefined ? { ...named, policies: { identity: [], limits: [] } } : { ...named, policies: subject.policies }
  }
  const { account } = call.caller
  const { accountId, id: canonicalUserId } = account
  const user = { name: 'simulated', path: '/' }
  return { kind: 'user', accountId, canonicalUserId, arn: iamArn(accountId, 'user', user), userId: 'simulated', userName: user.name, policies: { identity: [], limits: [] }, keys: new Map() }
}

function policiesOf(input: SimulationInput, principal: Principal, { policies }: IamCall): PrincipalPolicies & { readonly resource: readonly NamedPolicy[] } {
  const named = (documents: readonly string[] | undefined, kind: 'identity' | 'resource', source: string): NamedPolicy[] =>
    (documents ?? []).map((document, index) => ({
      name: `${source}.${index + 1}`,
      policy: policies.compiled(checkDocument(policies, document, kind, documentLimit), kind, documentLimit),
    }))
  const boundary = named(input.PermissionsBoundaryPolicyInputList, 'identity', 'PermissionsBoundaryPolicyInputList')
  return {
    ...principal.policies,
    identity: [...principal.policies.identity, ...named(input.PolicyInputList, 'identity', 'PolicyInputList')],
    ...(boundary.length === 0 ? {} : { boundary }),
    resource: named(input.ResourcePolicy === undefined ? [] : [input.ResourcePolicy], 'resource', 'ResourcePolicy'),
  }
}

function contextOf({ ContextEntries = [] }: SimulationInput, principal: Principal, { nowMs }: IamCall) {
  const entries = new Map(ContextEntries.map(({ ContextKeyName = '', ContextKeyValues = [] }) => [conditionKey(ContextKeyName), ContextKeyValues]))
  const facts = { principal, nowMs, sourceIp: undefined, isSecure: false, userAgent: undefined, referer: undefined, resourceAccountId: principal.accountId }
  const rest = requestContext(facts, () => undefined)
  // What is given wins over what would be so of the simulating request itself.
  return (key: string): readonly string[] | undefined => entries.get(key) ?? rest(key)
}

function ownerOf({ ResourceOwner }: SimulationInput, { accountId }: Principal): string {
  return ResourceOwner === undefined ? accountId : /^\d{12}$/.test(ResourceOwner) ? ResourceOwner : (ResourceOwner.split(':')[4] ?? accountId)
}

function matched(because: Because): Statement[] {
  return because.kind === 'statement' ? [{ SourcePolicyId: because.policy, SourcePolicyType: because.source === 'resource' ? 'resource' : 'user' }] : []
}

import type { Caller } from '../../identity/caller.ts'
import { evaluatePolicy } from '../../policy/evaluate.ts'
import { conditionKey } from '../../policy/pattern.ts'
import { requestContext } from '../../policy/request-context.ts'
import { QueryError } from '../../wire/query-error.ts'
import type { StsInput, StsOutput } from '../../wire/query-operations.ts'
import { signedBy, type Operation, type StsCall } from '../operation.ts'
import { checkSessionName, durationMs, openSession, sessionPolicies, sessionTags } from '../session-input.ts'
import { findRole, isTrusted, refused, roleBasis, type FoundRole } from '../trust.ts'

type Input = StsInput<'AssumeRole'>
type Output = StsOutput<'AssumeRole'>

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html. With the ARN of no role of an account here it is
 * MinIO's: a session of the caller's own rights, limited by the session policy.
 * Errors: AccessDenied, ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge.
 */
export const AssumeRole: Operation<Input, Output> = {
  honours: ['RoleArn', 'RoleSessionName', 'Policy', 'PolicyArns', 'DurationSeconds', 'Tags', 'TransitiveTagKeys', 'ExternalId', 'SourceIdentity'],
  async run(input, call) {
    const caller = signedBy(call)
    const found = await findRole(input.RoleArn, call)
    if (found === 'foreign') return ownSession(input, caller, call)
    if (found === 'missing') throw refused(caller.principal, 'sts:AssumeRole', input.RoleArn)
    return roleSession(input, caller, found, call)
  },
}

/** AWS: a session made by a session of a role lives an hour at most. */
const chainedSeconds = 3600

async function roleSession(input: Input, caller: Caller, found: FoundRole, call: StsCall): Promise<Output> {
  const { principal, basis } = caller
  const sessionName = checkSessionName(input.RoleSessionName)
  const tags = sessionTags(input.Tags)
  const inherited = inheritedTags(caller)
  const overridden = Object.keys(tags).find(name => name.toLowerCase() in inherited.byLowerName)
  if (overridden !== undefined) throw new QueryError('InvalidParameterValue', `The tag ${overridden} is transitive from the calling session and cannot be set anew.`)
  const context = contextOf(input, sessionName, tags)
  const needed = ['sts:AssumeRole', ...(input.Tags === undefined ? [] : ['sts:TagSession']), ...(input.SourceIdentity === undefined ? [] : ['sts:SetSourceIdentity'])]
  for (const action of needed) {
    if (!(await isTrusted(action, principal, found, context, call))) throw refused(principal, action, found.arn)
  }
  const isChained = basis?.subject.kind === 'role'
  const lifetimeMs = durationMs(input.DurationSeconds, { fallbackSeconds: 3600, mostSeconds: isChained ? chainedSeconds : found.role.maxSessionSeconds })
  const session = sessionPolicies(input.Policy, input.PolicyArns, call)
  const sourceIdentity = checkSourceIdentity(input, caller)
  const keys = sourceIdentity === undefined ? {} : { [sourceIdentityKey]: [sourceIdentity] }
  const transitiveTags = [...inherited.names, ...(input.TransitiveTagKeys ?? [])]
  const credentials = await openSession(roleBasis(found, { sessionName, session, tags: { ...inherited.tags, ...tags }, transitiveTags, keys }), lifetimeMs, call)
  return {
    Credentials: credentials,
    AssumedRoleUser: { AssumedRoleId: `${found.role.id}:${sessionName}`, Arn: `arn:aws:sts::${found.account.accountId}:assumed-role/${found.role.name}/${sessionName}` },
    ...(session === undefined ? {} : { PackedPolicySize: Math.ceil((session.documents.join('').length / 2048) * 100) }),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
  }
}

const sourceIdentityKey = conditionKey('aws:SourceIdentity')

/** Once set it stays for all sessions that follow. */
function checkSourceIdentity({ SourceIdentity }: Input, { basis }: Caller): string | undefined {
  const before = basis?.keys?.[sourceIdentityKey]?.[0]
  if (SourceIdentity !== undefined && !/^[\w+=,.@-]{2,64}$/.test(SourceIdentity)) throw new QueryError('ValidationError', 'The source identity is malformed.')
  if (before !== undefined && SourceIdentity !== undefined && SourceIdentity !== before) throw new QueryError('AccessDenied', 'The source identity of a session cannot be changed.')
  return SourceIdentity ?? before
}

interface InheritedTags {
  readonly names: readonly string[]
  readonly tags: Readonly<Record<string, string>>
  readonly byLowerName: Readonly<Record<string, true>>
}

/** The transitive tags of the calling session. */
function inheritedTags({ basis }: Caller): InheritedTags {
  const names = basis?.transitiveTags ?? []
  const tags = Object.fromEntries(names.flatMap(name => {
    const value = basis?.keys?.[conditionKey(`aws:PrincipalTag/${name}`)]?.[0]
    return value === undefined ? [] : [[name, value] as const]
  }))
  return { names: Object.keys(tags), tags, byLowerName: Object.fromEntries(Object.keys(tags).map(name => [name.toLowerCase(), true as const])) }
}

/** What trust policies ask about the request. */
function contextOf({ ExternalId, SourceIdentity, TransitiveTagKeys }: Input, sessionName: string, tags: Readonly<Record<string, string>>) {
  const keys = new Map<string, readonly string[]>([[conditionKey('sts:RoleSessionName'), [sessionName]]])
  if (ExternalId !== undefined) keys.set(conditionKey('sts:ExternalId'), [ExternalId])
  if (SourceIdentity !== undefined) keys.set(conditionKey('sts:SourceIdentity'), [SourceIdentity])
  if (TransitiveTagKeys !== undefined) keys.set(conditionKey('sts:TransitiveTagKeys'), TransitiveTagKeys)
  if (Object.keys(tags).length > 0) keys.set(conditionKey('aws:TagKeys'), Object.keys(tags))
  for (const [name, value] of Object.entries(tags)) keys.set(conditionKey(`aws:RequestTag/${name}`), [value])
  return (key: string) => keys.get(key)
}

/** MinIO's bounds: fifteen minutes to a year. */
const ownDuration = { fallbackSeconds: 3600, mostSeconds: 31_536_000 }

/** MinIO: no role, so all rights of the caller, less what the session policy leaves out. Never of a session. */
async function ownSession(input: Input, { principal, basis }: Caller, call: StsCall): Promise<Output> {
  if (!call.isRolelessAllowed) throw refused(principal, 'sts:AssumeRole', input.RoleArn)
  if (basis === undefined || basis.parentKey === undefined || isOfSession(basis)) throw new QueryError('AccessDenied', 'Temporary credentials cannot make others without a role.')
  if (input.Tags !== undefined || input.TransitiveTagKeys !== undefined || input.SourceIdentity !== undefined) throw new QueryError('ValidationError', 'Session tags and a source identity need a role of an account here.')
  const context = requestContext({ principal, nowMs: call.nowMs, ...call.client, referer: undefined, resourceAccountId: principal.accountId }, () => undefined)
  const { decision, because } = evaluatePolicy({ principal, action: 'sts:AssumeRole', resource: '*', resourceAccountId: principal.accountId, context }, { ...principal.policies, resource: [] })
  if (decision === 'deny' && because.kind === 'statement') throw refused(principal, 'sts:AssumeRole', undefined)
  const limit = sessionPolicies(input.Policy, input.PolicyArns, call)
  const limits = limit === undefined ? basis.limits : [...basis.limits, { kind: 'policies', ...limit } as const]
  const credentials = await openSession({ ...basis, limits }, durationMs(input.DurationSeconds, ownDuration), call)
  return { Credentials: credentials, AssumedRoleUser: { AssumedRoleId: principal.userId, Arn: principal.arn } }
}

const isOfSession = ({ expiresAtMs }: NonNullable<Caller['basis']>): boolean => expiresAtMs !== undefined

import type { ExtensionReader } from '../../engine/index.ts'
import type { NamedPolicy } from '../policy/language.ts'
import type { PolicyCache } from '../policy/policy-cache.ts'
import { conditionKey } from '../policy/pattern.ts'
import { rootPrincipal, type Principal, type PrincipalPolicies } from '../policy/principal.ts'
import { builtInPolicies, builtInPolicyNamed } from './built-in-policies.ts'
import type { Account } from './caller.ts'
import { iamArn, type Grantee, type RoleRecord, type Tags, type UserRecord } from './iam-records.ts'
import { iamReader, type IamReader } from './iam-rows.ts'
import { prefixPolicy } from './prefix-policy.ts'
import type { PolicySet, SessionClaims, SessionLimit, SessionSubject } from './session-token.ts'

export interface ResolveParts {
  readonly extensions: ExtensionReader
  readonly policies: PolicyCache
}

/** Whose rights, and what limits and describes them: of a long-term key or of a session. */
export type Standing = Pick<SessionClaims, 'subject' | 'limits' | 'keys'> & { readonly issuedAtMs?: number }

/** The caller as policies see it, from the rows as they are now. `undefined`: the user or role is gone, or revoked it. */
export async function resolvePrincipal(parts: ResolveParts, account: Account, standing: Standing): Promise<Principal | undefined> {
  const reader = iamReader(parts.extensions, account.accountId)
  const base = await subjectPrincipal(parts, reader, account, standing)
  if (base === undefined) return undefined
  let policies = base.policies
  for (const limit of standing.limits) {
    const bounds = await limitPolicies(parts, reader, limit)
    const widened = limit.kind === 'prefix' ? granted(policies, bounds) : policies
    policies = { ...widened, limits: [...widened.limits, bounds] }
  }
  const keys = new Map(base.keys)
  for (const [name, values] of Object.entries(standing.keys ?? {})) keys.set(conditionKey(name), values)
  if (standing.issuedAtMs !== undefined) keys.set(conditionKey('aws:TokenIssueTime'), [new Date(standing.issuedAtMs).toISOString()])
  return { ...base, keys, policies }
}

/**
 * Vended credentials are what the catalog granted, not what the caller may do in S3 besides: whoever may read a table
 * may read its files. What explicitly denies goes on to deny.
 */
function granted({ identity, boundary, session, limits }: PrincipalPolicies, bounds: readonly NamedPolicy[]): PrincipalPolicies {
  return {
    identity: [...identity, ...bounds],
    ...(boundary === undefined ? {} : { boundary: [...boundary, ...bounds] }),
    ...(session === undefined ? {} : { session: [...session, ...bounds] }),
    limits: limits.map(limit => [...limit, ...bounds]),
  }
}

async function subjectPrincipal(parts: ResolveParts, reader: IamReader, account: Account, { subject, issuedAtMs }: Standing): Promise<Principal | undefined> {
  const isRevoked = (record: { readonly revokedBeforeMs?: number }): boolean => issuedAtMs !== undefined && issuedAtMs < (record.revokedBeforeMs ?? 0)
  switch (subject.kind) {
    case 'serverRoot':
    case 'accountRoot':
      return rootPrincipal(subject.kind, account)
    case 'user': {
      const user = await reader.get('user', subject.name)
      return user === undefined || user.id !== subject.id || isRevoked(user) ? undefined : userPrincipal(parts, reader, account, user)
    }
    case 'role': {
      const role = await reader.get('role', subject.name)
      return role === undefined || role.id !== subject.id || isRevoked(role) ? undefined : rolePrincipal(parts, reader, account, role, subject)
    }
    case 'federated':
      return federatedPrincipal(parts, reader, account, subject)
  }
}

export async function userPrincipal(parts: ResolveParts, reader: IamReader, account: Account, user: UserRecord): Promise<Principal> {
  const arn = iamArn(account.accountId, 'user', user)
  const groups = (await Promise.all(user.groups.map(name => reader.get('group', name)))).filter(group => group !== undefined)
  const ofGroups = groups.map(group => granteePolicies(parts, reader, group, iamArn(account.accountId, 'group', group)))
  const identity = (await Promise.all([granteePolicies(parts, reader, user, arn), ...ofGroups])).flat()
  const keys = principalTags(user.tags)
  if (groups.length > 0) keys.set('aws:groups', groups.map(({ name }) => name))
  const policies = await withBoundary(parts, reader, identity, user.boundary)
  return { kind: 'user', accountId: account.accountId, canonicalUserId: account.id, arn, userId: user.id, userName: user.name, policies, keys }
}

export async function rolePrincipal(
  parts: ResolveParts, reader: IamReader, account: Account, role: RoleRecord, { sessionName, session }: Extract<SessionSubject, { kind: 'role' }>,
): Promise<Principal> {
  const arn = iamArn(account.accountId, 'role', role)
  const policies = await withBoundary(parts, reader, await granteePolicies(parts, reader, role, arn), role.boundary)
  return {
    kind: 'roleSession',
    accountId: account.accountId,
    canonicalUserId: account.id,
    arn,
    sessionArn: `arn:aws:sts::${account.accountId}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.id}:${sessionName}`,
    policies: session === undefined ? policies : { ...policies, session: await policySet(parts, reader, session) },
    keys: principalTags(role.tags),
  }
}

async function federatedPrincipal(parts: ResolveParts, reader: IamReader, account: Account, { name, policies }: Extract<SessionSubject, { kind: 'federated' }>): Promise<Principal> {
  const arn = `arn:aws:sts::${account.accountId}:federated-user/${name}`
  const named = await Promise.all(policies.map(policy => policyNamed(parts, reader, policy)))
  return {
    kind: 'federated',
    accountId: account.accountId,
    canonicalUserId: account.id,
    arn,
    sessionArn: arn,
    userId: `${account.accountId}:${name}`,
    policies: { identity: named.filter(policy => policy !== undefined), limits: [] },
    keys: new Map(),
  }
}

function principalTags(tags: Tags): Map<string, readonly string[]> {
  return new Map(Object.entries(tags).map(([name, value]) => [conditionKey(`aws:PrincipalTag/${name}`), [value]]))
}

async function withBoundary(parts: ResolveParts, reader: IamReader, identity: readonly NamedPolicy[], boundary: string | undefined): Promise<PrincipalPolicies> {
  if (boundary === undefined) return { identity, limits: [] }
  // A boundary whose policy is gone allows nothing.
  const policy = await managedPolicy(parts, reader, boundary)
  return { identity, boundary: policy === undefined ? [] : [policy], limits: [] }
}

async function granteePolicies(parts: ResolveParts, reader: IamReader, grantee: Grantee, arn: string): Promise<NamedPolicy[]> {
  const inline = Object.entries(grantee.inline).map(([name, document]) => ({ name: `${arn}#${name}`, policy: parts.policies.compiled(document, 'identity') }))
  const attached = await Promise.all(grantee.attached.map(policyArn => managedPolicy(parts, reader, policyArn)))
  return [...inline, ...attached.filter(policy => policy !== undefined)]
}

async function limitPolicies(parts: ResolveParts, reader: IamReader, limit: SessionLimit): Promise<NamedPolicy[]> {
  if (limit.kind === 'policies') return policySet(parts, reader, limit)
  return [{ name: 'vended credentials', policy: parts.policies.compiled(prefixPolicy(limit), 'identity') }]
}

async function policySet(parts: ResolveParts, reader: IamReader, { documents, arns }: PolicySet): Promise<NamedPolicy[]> {
  const managed = await Promise.all(arns.map(arn => managedPolicy(parts, reader, arn)))
  return [...documents.map(document => ({ name: 'session policy', policy: parts.policies.compiled(document, 'identity') })), ...managed.filter(policy => policy !== undefined)]
}

/** The document of a managed policy of the account, or of one that every account has. */
export async function managedDocument(reader: IamReader, arn: string): Promise<string | undefined> {
  const builtIn = builtInPolicies.get(arn)
  if (builtIn !== undefined) return builtIn.document
  const prefix = `arn:aws:iam::${reader.accountId}:policy/`
  if (!arn.startsWith(prefix)) return undefined
  const policy = await reader.get('policy', arn.slice(arn.lastIndexOf('/') + 1))
  if (policy === undefined || iamArn(reader.accountId, 'policy', policy) !== arn) return undefined
  return policy.versions.find(({ versionId }) => versionId === policy.defaultVersionId)?.document
}

async function managedPolicy({ policies }: ResolveParts, reader: IamReader, arn: string): Promise<NamedPolicy | undefined> {
  const document = await managedDocument(reader, arn)
  return document === undefined ? undefined : { name: arn, policy: policies.compiled(document, 'identity') }
}

/** The account's own policy of that name, else the one that every account has. */
async function policyNamed(parts: ResolveParts, reader: IamReader, name: string): Promise<NamedPolicy | undefined> {
  const own = await reader.get('policy', name)
  if (own !== undefined) return managedPolicy(parts, reader, iamArn(reader.accountId, 'policy', own))
  const builtIn = builtInPolicyNamed(name)
  return builtIn === undefined ? undefined : managedPolicy(parts, reader, builtIn.arn)
}

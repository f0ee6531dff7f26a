import { WebIdentityError, providerNameOf, type WebIdentity } from '../../identity/oidc/issuer.ts'
import { claimKeys, federatedBasis } from '../../identity/oidc/federated-basis.ts'
import { rootAccountName } from '../../identity/identity-records.ts'
import { conditionKey } from '../../policy/pattern.ts'
import { byPolicies } from '../../policy/decider.ts'
import type { Principal } from '../../policy/principal.ts'
import { QueryError, type QueryErrorCode } from '../../wire/query-error.ts'
import type { StsInput, StsOutput } from '../../wire/query-operations.ts'
import type { Operation, StsCall } from '../operation.ts'
import { checkSessionName, durationMs, openSession, sessionPolicies } from '../session-input.ts'
import { findRole, isTrusted, refused, roleBasis, type FoundRole } from '../trust.ts'

type Input = StsInput<'AssumeRoleWithWebIdentity'>
type Output = StsOutput<'AssumeRoleWithWebIdentity'>

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html. Not signed: the token says who.
 * With the ARN of a role here it is AWS's: the account has the provider, and the role's trust policy names it. Else it is
 * MinIO's: policies by the token's claim, or those that the provider is configured with.
 * Errors: InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, AccessDenied, ValidationError.
 */
export const AssumeRoleWithWebIdentity: Operation<Input, Output> = {
  honours: ['RoleArn', 'RoleSessionName', 'WebIdentityToken', 'Policy', 'PolicyArns', 'DurationSeconds'],
  async run(input, call) {
    const identity = await verify(input.WebIdentityToken ?? '', call)
    const found = await findRole(input.RoleArn, call)
    if (found === 'missing') throw refused(undefined, 'sts:AssumeRoleWithWebIdentity', undefined)
    return found === 'foreign' ? claimedSession(input, identity, call) : roleSession(input, identity, found, call)
  },
}

const codes: Readonly<Record<WebIdentityError['code'], QueryErrorCode>> = { Malformed: 'InvalidIdentityToken', Expired: 'ExpiredTokenException', Unavailable: 'IDPCommunicationError' }

async function verify(token: string, { webIdentities }: StsCall): Promise<WebIdentity> {
  try {
    return await webIdentities.verify(token)
  } catch (error) {
    throw error instanceof WebIdentityError ? new QueryError(codes[error.code], error.message, { cause: error }) : error
  }
}

async function roleSession(input: Input, identity: WebIdentity, found: FoundRole, call: StsCall): Promise<Output> {
  const sessionName = checkSessionName(input.RoleSessionName)
  const { account, role } = found
  const name = providerNameOf(identity.issuer.issuer)
  const provider = await call.identity.iam(account.accountId).get('provider', name)
  const providerArn = `arn:aws:iam::${account.accountId}:oidc-provider/${name}`
  if (provider?.clientIds.includes(identity.audience) !== true) throw refused(undefined, 'sts:AssumeRoleWithWebIdentity', undefined)
  const keys = { [conditionKey('aws:FederatedProvider')]: [providerArn] }
  const principal: Principal = {
    kind: 'federated', accountId: account.accountId, canonicalUserId: account.id, arn: '', userId: identity.subject,
    policies: { identity: [], limits: [] }, keys: new Map(Object.entries(keys)),
  }
  const claims = new Map<string, readonly string[]>([
    [conditionKey(`${name}:aud`), [identity.audience]],
    [conditionKey(`${name}:sub`), [identity.subject]],
    [conditionKey('sts:RoleSessionName'), [sessionName]],
  ])
  for (const [key, values] of Object.entries(claimKeys(identity))) claims.set(key, values)
  // A provider's name has slashes, after which the names of keys keep their case.
  const own = (key: string): readonly string[] | undefined => claims.get(key) ?? claims.get(conditionKey(key))
  // Provider and trust policy decide; a policy service is asked about what the session then does.
  if (!(await isTrusted('sts:AssumeRoleWithWebIdentity', principal, found, own, { ...call, decider: byPolicies }))) throw refused(undefined, 'sts:AssumeRoleWithWebIdentity', undefined)
  const lifetimeMs = durationMs(input.DurationSeconds, { fallbackSeconds: 3600, mostSeconds: role.maxSessionSeconds })
  const session = sessionPolicies(input.Policy, input.PolicyArns, call)
  const credentials = await openSession(roleBasis(found, { sessionName, session, tags: {}, transitiveTags: [], keys }), lifetimeMs, call)
  return {
    Credentials: credentials,
    SubjectFromWebIdentityToken: identity.subject,
    AssumedRoleUser: { AssumedRoleId: `${role.id}:${sessionName}`, Arn: `arn:aws:sts::${account.accountId}:assumed-role/${role.name}/${sessionName}` },
    Provider: providerArn,
    Audience: identity.audience,
  }
}

/** MinIO: a week at most. */
const claimedDuration = { fallbackSeconds: 3600, mostSeconds: 604_800 }

async function claimedSession(input: Input, identity: WebIdentity, call: StsCall): Promise<Output> {
  const account = await call.identity.getAccount(identity.issuer.account ?? rootAccountName)
  if (account === undefined) throw refused(undefined, 'sts:AssumeRoleWithWebIdentity', undefined)
  const basis = federatedBasis(identity, account)
  if (basis.subject.kind === 'federated' && basis.subject.policies.length === 0) throw new QueryError('AccessDenied', 'The token names no policy.')
  const session = sessionPolicies(input.Policy, input.PolicyArns, call)
  const limits = session === undefined ? [] : [{ kind: 'policies', ...session } as const]
  const credentials = await openSession({ ...basis, limits }, durationMs(input.DurationSeconds, claimedDuration), call)
  return { Credentials: credentials, SubjectFromWebIdentityToken: identity.subject, Provider: identity.issuer.issuer, Audience: identity.audience }
}

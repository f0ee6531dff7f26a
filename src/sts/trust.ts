import type { Account, SessionBasis } from '../identity/caller.ts'
import { iamArn, type RoleRecord } from '../identity/iam-records.ts'
import type { SessionSubject } from '../identity/session-token.ts'
import { evaluatePolicy } from '../policy/evaluate.ts'
import { notedDecision } from '../policy/explain.ts'
import { conditionKey } from '../policy/pattern.ts'
import type { Principal } from '../policy/principal.ts'
import { requestContext } from '../policy/request-context.ts'
import { QueryError } from '../wire/query-error.ts'
import type { StsCall } from './operation.ts'

export interface FoundRole {
  readonly account: Account
  readonly role: RoleRecord
  readonly arn: string
}

/**
 * The role of an ARN: `foreign` where the ARN is none of an account here (MinIO's clients send any text), `missing`
 * where the account has no such role.
 */
export async function findRole(arn: string | undefined, { identity }: StsCall): Promise<FoundRole | 'foreign' | 'missing'> {
  const [, accountId = '', rest = ''] = /^arn:aws:iam::(\d{12}):role\/([\x21-\x7e]{1,576})$/.exec(arn ?? '') ?? []
  const account = accountId === '' ? undefined : await identity.getAccountByNumber(accountId)
  if (account === undefined) return 'foreign'
  const role = await identity.iam(accountId).get('role', rest.slice(rest.lastIndexOf('/') + 1))
  return role !== undefined && iamArn(accountId, 'role', role) === arn ? { account, role, arn } : 'missing'
}

/**
 * Whether the role's trust policy and the caller's own policies let the caller do `action`. A trust policy that names the
 * caller is enough within an account; one that names the account leaves it to the caller's policies; across accounts it
 * takes both. A role without a trust policy for the caller is nobody's, also within its account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
export async function isTrusted(
  action: string, principal: Principal, { account, role, arn }: FoundRole, own: (key: string) => readonly string[] | undefined, { client, nowMs, policies, decider, noteDecision }: StsCall,
): Promise<boolean> {
  const context = requestContext({ principal, nowMs, ...client, referer: undefined, resourceAccountId: account.accountId }, own)
  const resource = [{ name: `${arn}#trust`, policy: policies.compiled(role.trust, 'trust') }]
  const request = { principal, action, resource: arn, resourceAccountId: account.accountId, context }
  // As from another account and with every right there: then the trust policy alone decides.
  const anything = { identity: [{ name: 'any', policy: policies.compiled(allowAnything, 'identity') }], limits: [] }
  const named = evaluatePolicy({ ...request, resourceAccountId: undefined }, { ...anything, resource })
  const decided = named.decision === 'allow' ? await decider.decide(request, { ...principal.policies, resource }) : named
  noteDecision(notedDecision(action, decided))
  return decided.decision === 'allow'
}

const allowAnything = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } })

export function refused(principal: Principal | undefined, action: string, arn: string | undefined): QueryError {
  const who = principal === undefined ? 'Not authorized' : `User: ${principal.sessionArn ?? principal.arn} is not authorized`
  return new QueryError('AccessDenied', `${who} to perform ${action}${arn === undefined ? '' : ` on resource: ${arn}`}`)
}

export interface RoleSession {
  readonly sessionName: string
  readonly session: Extract<SessionSubject, { kind: 'role' }>['session']
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTags: readonly string[]
  readonly keys: Readonly<Record<string, readonly string[]>>
}

/** What the session of a role is made of. Tags are condition keys. */
export function roleBasis({ account, role }: FoundRole, { sessionName, session, tags, transitiveTags, keys }: RoleSession): SessionBasis {
  const tagKeys = Object.fromEntries(Object.entries(tags).map(([name, value]) => [conditionKey(`aws:PrincipalTag/${name}`), [value]]))
  return {
    accountId: account.accountId,
    subject: { kind: 'role', name: role.name, id: role.id, sessionName, ...(session === undefined ? {} : { session }) },
    limits: [],
    keys: { ...keys, ...tagKeys },
    ...(transitiveTags.length === 0 ? {} : { transitiveTags }),
    expiresAtMs: undefined,
  }
}

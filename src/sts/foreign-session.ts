import { hash } from 'node:crypto'
import type { Credentials } from '@aws-sdk/client-sts'
import { rootAccountName } from '../identity/identity-records.ts'
import { conditionKey } from '../policy/pattern.ts'
import { QueryError } from '../wire/query-error.ts'
import type { StsCall } from './operation.ts'
import { durationMs, openSession, sessionPolicies } from './session-input.ts'

/** Somebody whom a directory, a certificate or an identity service vouched for. */
export interface Foreigner {
  /** What tells the person from everybody else: `ldap:DN`, `tls:CN`, `custom:ROLE:USER`. */
  readonly parent: string
  readonly account: string | undefined
  readonly policies: readonly string[]
  /** `ldap:user` and the like. */
  readonly keys: Readonly<Record<string, readonly string[]>>
  readonly mostSeconds: number
}

/** A session with the rights of named policies, less what the session policy leaves out. `AccessDenied` without a policy. */
export async function foreignSession(
  { parent, account: name = rootAccountName, policies, keys, mostSeconds }: Foreigner, { Policy, DurationSeconds }: { readonly Policy?: string; readonly DurationSeconds?: number }, call: StsCall,
): Promise<{ readonly Credentials: Credentials }> {
  const account = await call.identity.getAccount(name)
  if (account === undefined || policies.length === 0) throw new QueryError('AccessDenied', 'No policy is set for this identity.')
  const session = sessionPolicies(Policy, undefined, call)
  const limits = session === undefined ? [] : [{ kind: 'policies', ...session } as const]
  const basis = {
    accountId: account.accountId,
    subject: { kind: 'federated', name: hash('sha256', parent, 'base64url'), policies } as const,
    limits,
    keys: Object.fromEntries(Object.entries(keys).map(([key, values]) => [conditionKey(key), values])),
    expiresAtMs: undefined,
  }
  return { Credentials: await openSession(basis, durationMs(DurationSeconds, { fallbackSeconds: 3600, mostSeconds }), call) }
}

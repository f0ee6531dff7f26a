import type { Placed } from './compile.ts'
import type { Principals } from './language.ts'
import type { Principal } from './principal.ts'

interface Entry {
  readonly type: string
  readonly values: readonly Placed[]
}

const accountPattern = /^(?:\d{12}|arn:aws:iam::(\d{12}):root)$/
const identityPattern = /^arn:aws:(?:iam::\d{12}:(?:user|role)\/[\w+=,.@/-]+|sts::\d{12}:(?:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+|federated-user\/[\w+=,.@:-]+))$/

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html. Wildcards stand alone only. */
export function principalsOf(negated: boolean, entries: readonly Entry[], fail: (placed: Placed) => never): Principals {
  const accounts = new Set<string>()
  const arns = new Set<string>()
  const named = { CanonicalUser: new Set<string>(), Federated: new Set<string>(), Service: new Set<string>() }
  let everyone = false
  for (const { type, values } of entries) {
    for (const placed of values) {
      const { text } = placed
      if (type === 'AWS' || type === '*') {
        const account = accountPattern.exec(text)
        if (text === '*') everyone = true
        else if (type === '*') fail(placed)
        else if (account !== null) accounts.add(account[1] ?? text)
        else if (identityPattern.test(text)) arns.add(text)
        else fail(placed)
      } else if (type === 'CanonicalUser' && /^[0-9a-f]{64}$/.test(text)) named.CanonicalUser.add(text)
      else if ((type === 'Federated' || type === 'Service') && text !== '' && !text.includes('*')) named[type].add(text)
      else fail(placed)
    }
  }
  return { negated, everyone, accounts, arns, canonicalUsers: named.CanonicalUser, federated: named.Federated, services: named.Service }
}

/**
 * How a statement names a caller. What a grant may pass over depends on it: `identity` is a user's own ARN, `session` a
 * session's own, `role` that of its role, `account` leaves it to the account's own policies.
 */
export type Naming = 'identity' | 'session' | 'role' | 'account' | 'everyone'

/** Whether a statement's Principal or NotPrincipal is about the caller, and how; undefined: it is not. */
export function namingOf(principals: Principals, principal: Principal, effect: 'Allow' | 'Deny'): Naming | undefined {
  if (!principals.negated) return plainNaming(principals, principal)
  const spared = effect === 'Allow' ? plainNaming(principals, principal) !== undefined : isSpared(principals, principal)
  return spared ? undefined : 'everyone'
}

function plainNaming({ accounts, arns, canonicalUsers, federated, everyone }: Principals, principal: Principal): Naming | undefined {
  if (principal.kind !== 'anonymous') {
    if (principal.sessionArn !== undefined && arns.has(principal.sessionArn)) return 'session'
    if (arns.has(principal.arn)) return principal.kind === 'user' ? 'identity' : 'role'
    if (federated.size > 0 && principal.keys.get('aws:federatedprovider')?.some(provider => federated.has(provider)) === true) return 'role'
    if (!everyone && (accounts.has(principal.accountId) || canonicalUsers.has(principal.canonicalUserId))) return 'account'
  }
  return everyone ? 'everyone' : undefined
}

/**
 * A Deny with NotPrincipal spares whom it lists completely: the account besides the user or role, and of a session
 * also its own ARN. Whatever is missing is denied.
 */
function isSpared({ accounts, arns, canonicalUsers, everyone }: Principals, { kind, accountId, canonicalUserId, arn, sessionArn }: Principal): boolean {
  if (everyone) return true
  if (kind === 'anonymous' || (!accounts.has(accountId) && !canonicalUsers.has(canonicalUserId))) return false
  if (kind === 'serverRoot' || kind === 'accountRoot') return true
  return arns.has(arn) && (sessionArn === undefined || sessionArn === arn || arns.has(sessionArn))
}

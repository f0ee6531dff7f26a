import { PolicyCache } from '../policy/policy-cache.ts'
import { anonymous, type Principal } from '../policy/principal.ts'
import { iamArn } from './iam-records.ts'
import { rootAccountName } from './identity-records.ts'
import type { IdentityStore } from './identity-store.ts'
import { resolvePrincipal } from './resolve-principal.ts'

const policies = new PolicyCache()

/**
 * Whom an ARN names, with the policies that are stored: an account's root, a user, a role (as a session of it) or a
 * session of a role. Absent: a request without a signature. Undefined: there is nobody of that name.
 */
export async function principalByArn(identity: Pick<IdentityStore, 'getAccountByNumber' | 'iam' | 'extensions'>, arn: string | undefined): Promise<Principal | undefined> {
  if (arn === undefined) return anonymous
  const [, accountId = '', type = '', rest = ''] = /^arn:aws:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:\/(.+))?$/.exec(arn) ?? []
  const account = accountId === '' ? undefined : await identity.getAccountByNumber(accountId)
  if (account === undefined) return undefined
  const parts = { extensions: identity.extensions, policies }
  const iam = identity.iam(accountId)
  const name = rest.slice(rest.lastIndexOf('/') + 1)
  if (type === 'root') return rest === '' ? resolvePrincipal(parts, account, { subject: { kind: account.name === rootAccountName ? 'serverRoot' : 'accountRoot' }, limits: [] }) : undefined
  if (type === 'user') {
    const user = await iam.get('user', name)
    if (user === undefined || iamArn(accountId, 'user', user) !== arn) return undefined
    return resolvePrincipal(parts, account, { subject: { kind: 'user', name: user.name, id: user.id }, limits: [] })
  }
  const [ofSession = '', sessionName = ''] = rest.split('/')
  const role = await iam.get('role', type === 'role' ? name : ofSession)
  if (role === undefined || (type === 'role' ? iamArn(accountId, 'role', role) !== arn : sessionName === '')) return undefined
  return resolvePrincipal(parts, account, { subject: { kind: 'role', name: role.name, id: role.id, sessionName: type === 'role' ? 'explained' : sessionName }, limits: [] })
}

import type { Credentials } from '@aws-sdk/client-sts'
import { LdapError, signInByLdap, type LdapDirectory, type LdapUser } from '../../identity/ldap/directory.ts'
import { QueryError } from '../../wire/query-error.ts'
import { foreignSession } from '../foreign-session.ts'
import type { Operation, StsCall } from '../operation.ts'

interface Input {
  readonly LDAPUsername?: string
  readonly LDAPPassword?: string
  readonly Policy?: string
  readonly DurationSeconds?: number
}

/** MinIO's: a name and password of the directory, policies by the DNs of the user and its groups. Errors: AccessDenied, ServiceUnavailable, Throttling. */
export const AssumeRoleWithLDAPIdentity: Operation<Input, { readonly Credentials: Credentials }> = {
  honours: ['LDAPUsername', 'LDAPPassword', 'Policy', 'DurationSeconds'],
  async run(input, call) {
    const { ldap } = call.providers
    if (ldap === undefined) throw new QueryError('ServiceUnavailable', 'No directory is configured.')
    const user = await signIn(ldap, input, call)
    const keys = { 'ldap:user': [user.dn], 'ldap:username': [user.userName], 'ldap:groups': user.groups }
    return foreignSession({ parent: `ldap:${user.dn.toLowerCase()}`, account: ldap.account, policies: user.policies, keys, mostSeconds: 604_800 }, input, call)
  },
}

async function signIn(ldap: LdapDirectory, { LDAPUsername = '', LDAPPassword = '' }: Input, { attempts }: StsCall): Promise<LdapUser> {
  if (attempts.isLocked(LDAPUsername)) throw new QueryError('Throttling', 'Too many wrong passwords: try again later.')
  try {
    const user = await signInByLdap(ldap, LDAPUsername, LDAPPassword)
    attempts.succeeded(LDAPUsername)
    return user
  } catch (error) {
    if (!(error instanceof LdapError)) throw error
    if (error.code === 'Unavailable') throw new QueryError('ServiceUnavailable', 'The directory cannot be asked.', { cause: error })
    attempts.failed(LDAPUsername)
    throw new QueryError('AccessDenied', error.message)
  }
}

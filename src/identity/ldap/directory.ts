import { connect, isIP, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { Client, InvalidCredentialsError, ResultCodeError, type Entry } from 'ldapts'
import { secondMs } from '../../../base/units.ts'

/** A directory that passwords are checked in. */
export interface LdapDirectory {
  /** `ldap://HOST[:PORT]` or `ldaps://…`. */
  readonly url: string
  /** `ldap` goes on in TLS before anything is said. */
  readonly startTls: boolean
  /** Who looks users up. */
  readonly bindDn: string
  readonly bindPassword: string
  readonly userBase: string
  /** `%s` is the user's name: `(uid=%s)`. */
  readonly userFilter: string
  readonly groupBase?: string
  /** `%d` is the user's DN, `%s` the name: `(&(objectClass=groupOfNames)(member=%d))`. */
  readonly groupFilter?: string
  readonly account?: string
  /** DN of a user or group to the names of its policies. */
  readonly policies: Readonly<Record<string, readonly string[]>>
}

export interface LdapUser {
  /** As the directory spells it. */
  readonly dn: string
  readonly userName: string
  /** DNs, with those that contain them. */
  readonly groups: readonly string[]
  readonly policies: readonly string[]
}

/**
 * - `Refused`: no such user, or another password; which, nobody is told.
 * - `Unavailable`: the directory cannot be asked.
 */
export class LdapError extends Error {
  override readonly name = 'LdapError'
  readonly code: 'Refused' | 'Unavailable'

  constructor(code: LdapError['code'], options?: ErrorOptions) {
    super(code === 'Refused' ? 'The user name or password is wrong' : 'The directory cannot be asked', options)
    this.code = code
  }
}

const timeoutMs = 10 * secondMs
const maxGroups = 500
/** Groups within groups, so deep. */
const maxDepth = 10

/** Looks the user up, checks the password by a bind of the user's own, and finds the groups. One connection each time. */
export async function signInByLdap(directory: LdapDirectory, userName: string, password: string): Promise<LdapUser> {
  // A bind with a name and no password is no bind at all, and succeeds (RFC 4513 §5.1.2).
  if (password === '' || userName === '' || userName.length > 256 || password.length > 1024) throw new LdapError('Refused')
  const { url, startTls, bindDn, bindPassword, userBase, userFilter } = directory
  const client = new Client({ url, timeout: timeoutMs, connectTimeout: timeoutMs, strictDN: false, createConnection: connectOnce() as typeof connect })
  try {
    if (startTls) await client.startTLS(tlsOptionsOf(url))
    await client.bind(bindDn, bindPassword)
    const [entry, ...others] = await search(client, userBase, filterOf(userFilter, { s: userName }))
    // Two that match: nobody could say whose password it is.
    if (entry === undefined || others.length > 0) throw new LdapError('Refused')
    const groups = await groupsOf(client, directory, entry.dn, userName)
    await client.bind(entry.dn, password)
    return { dn: entry.dn, userName, groups, policies: policiesOf(directory, [entry.dn, ...groups]) }
  } catch (error) {
    throw toLdapError(error, directory)
  } finally {
    await client.unbind().catch(() => {})
  }
}

/**
 * The library connects anew, and without TLS, when a connection was cut, and says there what it had to say: a password. So
 * whoever can cut connections could read it. One that says nothing for too long is cut, while TLS is agreed on too.
 */
function connectOnce(): (port: number, host: string) => Socket {
  let isUsed = false
  return (port, host) => {
    if (isUsed) throw new Error('the connection was cut')
    isUsed = true
    const socket = connect(port, host)
    return socket.setTimeout(timeoutMs, () => socket.destroy(new Error('the directory is silent')))
  }
}

/** The certificate must be of the host that is asked; without a name Node.js would want one of `localhost`. */
export function tlsOptionsOf(url: string): ConnectionOptions {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return { host, ...(isIP(host) === 0 ? { servername: host } : {}) }
}

function toLdapError(error: unknown, _directory: LdapDirectory): LdapError {
  if (error instanceof LdapError) return error
  return error instanceof InvalidCredentialsError ? new LdapError('Refused', { cause: error }) : new LdapError('Unavailable', { cause: withoutSecrets(error) })
}

/** The library's errors may quote what was sent. */
function withoutSecrets(error: unknown): Error {
  return new Error(error instanceof ResultCodeError ? `LDAP result ${error.code}` : error instanceof Error && 'code' in error ? String(error.code) : 'no connection')
}

async function search(client: Client, base: string, filter: string): Promise<Entry[]> {
  const { searchEntries } = await client.search(base, { scope: 'sub', filter, attributes: ['1.1'], sizeLimit: maxGroups, timeLimit: timeoutMs / secondMs })
  return searchEntries
}

/** Groups that have the user as a member, and those that have these, and so on. */
async function groupsOf(client: Client, { groupBase, groupFilter }: LdapDirectory, dn: string, userName: string): Promise<readonly string[]> {
  if (groupBase === undefined || groupFilter === undefined) return []
  const groups = new Map<string, string>()
  let members = [dn]
  for (let depth = 0; depth < maxDepth && members.length > 0; depth++) {
    const found = await Promise.all(members.map(member => search(client, groupBase, filterOf(groupFilter, { s: userName, d: member }))))
    members = []
    for (const { dn: group } of found.flat()) {
      const name = normalDn(group)
      if (groups.has(name) || groups.size >= maxGroups) continue
      groups.set(name, group)
      if (groupFilter.includes('%d')) members.push(group)
    }
  }
  return [...groups.values()]
}

function policiesOf({ policies }: LdapDirectory, dns: readonly string[]): readonly string[] {
  const held = new Set(dns.map(normalDn))
  return [...new Set(Object.entries(policies).flatMap(([dn, names]) => (held.has(normalDn(dn)) ? names : [])))]
}

/** DNs are compared without the case of their letters and the spaces around commas and equals signs. */
export const normalDn = (dn: string): string => dn.toLowerCase().replaceAll(/\s*([,=])\s*/g, '$1').trim()

/** Fills a filter's placeholders with escaped values (RFC 4515 §3): a name cannot become part of the filter. */
export function filterOf(filter: string, values: { readonly s: string; readonly d?: string }): string {
  return filter.replaceAll(/%([sd])/g, (_, name: 's' | 'd') => escapeFilterValue(values[name] ?? ''))
}

export function escapeFilterValue(value: string): string {
  return Array.from(Buffer.from(value, 'utf8'), byte => (isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, '0')}`)).join('')
}

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && !'()*\\'.includes(String.fromCharCode(byte))

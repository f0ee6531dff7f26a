import { parse as parseYaml } from 'yaml'
import type { LdapDirectory } from './ldap/directory.ts'
import type { Issuer } from './oidc/issuer.ts'

/** Where people and programs sign in other than here: the document of `MORAINE_IDENTITY_PROVIDERS`. */
export interface IdentityProviders {
  readonly openid: readonly Issuer[]
  readonly ldap: LdapDirectory | undefined
  readonly certificate: CertificateSignIn | undefined
  readonly customToken: CustomTokenSignIn | undefined
}

/** AssumeRoleWithCertificate: a client certificate's common name is the name of its policy. */
export interface CertificateSignIn {
  readonly account?: string
}

/** AssumeRoleWithCustomToken: `POST URL?token=…` answers who it is. */
export interface CustomTokenSignIn {
  readonly url: string
  readonly authorization?: string
  readonly roleId: string
  readonly rolePolicies: readonly string[]
  readonly account?: string
}

export const noProviders: IdentityProviders = { openid: [], ldap: undefined, certificate: undefined, customToken: undefined }

/** `message` begins with the place in the document: `/openid/0/issuer: …`. */
export class IdentityProvidersError extends Error {
  override readonly name = 'IdentityProvidersError'
}

/** YAML or JSON. Throws `IdentityProvidersError` for the first thing that is wrong. */
export function parseIdentityProviders(text: string): IdentityProviders {
  let document: unknown
  try {
    document = parseYaml(text, { maxAliasCount: 0 })
  } catch (cause) {
    throw new IdentityProvidersError('it is neither YAML nor JSON', { cause })
  }
  const root = new Place(document ?? {}, '')
  root.allows('openid', 'ldap', 'certificate', 'customToken')
  const openid = root.list('openid').map(readIssuer)
  for (const [index, { issuer, name }] of openid.entries()) {
    const twin = openid.findIndex(other => other.issuer === issuer || other.name === name)
    if (twin !== index) throw new IdentityProvidersError(`/openid/${index}: the same name or issuer as /openid/${twin}`)
  }
  return {
    openid,
    ldap: root.optional('ldap', readLdap),
    certificate: root.optional('certificate', place => {
      place.allows('account')
      return { ...place.member('account') }
    }),
    customToken: root.optional('customToken', readCustomToken),
  }
}

function readIssuer(place: Place): Issuer {
  place.allows('name', 'issuer', 'jwksUri', 'clientIds', 'account', 'policyClaim', 'claimPrefix', 'rolePolicies')
  const rolePolicies = place.texts('rolePolicies')
  return {
    name: place.text('name', /^[\w-]{1,64}$/),
    issuer: place.url('issuer'),
    ...(place.has('jwksUri') ? { jwksUri: place.url('jwksUri') } : {}),
    clientIds: place.texts('clientIds') ?? place.fail('clientIds', 'is needed: the audiences that tokens must have'),
    ...place.member('account'),
    policyClaim: place.member('policyClaim').policyClaim ?? 'policy',
    claimPrefix: place.member('claimPrefix').claimPrefix ?? '',
    ...(rolePolicies === undefined ? {} : { rolePolicies }),
  }
}

function readLdap(place: Place): LdapDirectory {
  place.allows('url', 'startTls', 'bindDn', 'bindPassword', 'userBase', 'userFilter', 'groupBase', 'groupFilter', 'account', 'policies')
  const url = place.text('url', /^ldaps?:\/\/[^\s/?#]+$/)
  const startTls = place.flag('startTls')
  return {
    url,
    startTls,
    bindDn: place.text('bindDn', /./),
    bindPassword: place.text('bindPassword', /./),
    userBase: place.text('userBase', /./),
    userFilter: place.text('userFilter', /%s/),
    ...place.member('groupBase'),
    ...place.member('groupFilter'),
    ...place.member('account'),
    policies: place.map('policies'),
  }
}

function readCustomToken(place: Place): CustomTokenSignIn {
  place.allows('url', 'authorization', 'roleId', 'rolePolicies', 'account')
  return {
    url: place.url('url'),
    ...place.member('authorization'),
    roleId: place.text('roleId', /^[\w-]{1,64}$/),
    rolePolicies: place.texts('rolePolicies') ?? place.fail('rolePolicies', 'is needed: the policies of who signs in'),
    ...place.member('account'),
  }
}

class Place {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #pointer: string

  constructor(value: unknown, pointer: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new IdentityProvidersError(`${pointer === '' ? '/' : pointer}: expected an object`)
    this.#members = value as Readonly<Record<string, unknown>>
    this.#pointer = pointer
  }

  /** Never shows a value: passwords are among them. */
  fail(name: string, problem: string): never {
    throw new IdentityProvidersError(`${this.#pointer}/${name}: ${problem}`)
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined
  }

  allows(...names: readonly string[]): void {
    const stranger = Object.keys(this.#members).find(name => !names.includes(name))
    if (stranger !== undefined) this.fail(stranger, `there is no such member; expected ${names.join(', ')}`)
  }

  text(name: string, pattern: RegExp): string {
    const value = this.#members[name]
    if (typeof value !== 'string' || value.length > 2048 || !pattern.test(value)) this.fail(name, `expected text like ${pattern.source}`)
    return value
  }

  /** The member by its own name, or nothing. */
  member<N extends string>(name: N): { readonly [K in N]?: string } {
    return this.has(name) ? ({ [name]: this.text(name, /./) } as { readonly [K in N]: string }) : {}
  }

  flag(name: string): boolean {
    const value = this.#members[name] ?? false
    if (typeof value !== 'boolean') this.fail(name, 'expected true or false')
    return value
  }

  /** `https`, or `http` on this machine. */
  url(name: string): string {
    const value = this.text(name, /^https?:\/\//)
    const url = URL.canParse(value) ? new URL(value) : this.fail(name, 'expected a URL')
    const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    if (url.protocol !== 'https:' && !isLocal) this.fail(name, 'expected https: the network could answer in its name')
    if (url.search !== '' || url.hash !== '' || url.username !== '') this.fail(name, 'expected a URL without user, query and fragment')
    return value
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#members[name]
    if (value === undefined) return undefined
    if (!Array.isArray(value) || value.length === 0 || value.length > 100 || value.some(item => typeof item !== 'string' || item === '')) this.fail(name, 'expected a list of texts')
    return value as readonly string[]
  }

  map(name: string): Readonly<Record<string, readonly string[]>> {
    const value = this.#members[name]
    if (value === undefined) return {}
    const place = new Place(value, `${this.#pointer}/${name}`)
    return Object.fromEntries(Object.keys(value as object).map(key => [key, place.texts(key) ?? []]))
  }

  list(name: string): readonly Place[] {
    const value = this.#members[name]
    if (value === undefined) return []
    if (!Array.isArray(value)) this.fail(name, 'expected a list')
    return value.map((item: unknown, index) => new Place(item, `${this.#pointer}/${name}/${index}`))
  }

  optional<T>(name: string, read: (place: Place) => T): T | undefined {
    return this.has(name) ? read(new Place(this.#members[name], `${this.#pointer}/${name}`)) : undefined
  }
}

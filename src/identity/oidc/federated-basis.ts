import { hash } from 'node:crypto'
import { conditionKey } from '../../policy/pattern.ts'
import type { Account, SessionBasis } from '../caller.ts'
import type { WebIdentity } from './issuer.ts'

/** Claims that policies may ask about as `jwt:NAME`; others can be long, and are nobody's business. */
const claimNames = [
  'sub', 'iss', 'aud', 'jti', 'upn', 'name', 'groups', 'roles', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture',
  'website', 'email', 'gender', 'birthdate', 'phone_number', 'scope', 'client_id',
]
export const isPolicyClaim = (name: string): boolean => claimNames.includes(name)

const maxValues = 100
const maxValueCharacters = 256

/** The names of policies that a token gives: of its provider, or of its claim. */
export function policyNamesOf({ issuer, claims }: WebIdentity): readonly string[] {
  if (issuer.rolePolicies !== undefined) return issuer.rolePolicies
  const value = claims[issuer.claimPrefix + issuer.policyClaim]
  const names = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : []
  return names.filter(name => typeof name === 'string').map(name => name.trim()).filter(name => /^[\w+=,.@-]{1,128}$/.test(name)).slice(0, maxValues)
}

/** Unique over all providers, and no other's: as MinIO names the user that a token stands for. */
export const parentNameOf = ({ subject, issuer }: WebIdentity): string => hash('sha256', `openid:${subject}:${issuer.issuer}`, 'base64url')

/** What a session (or a request) of a web identity without a role is made of. */
export function federatedBasis(identity: WebIdentity, { accountId }: Account): SessionBasis {
  return {
    accountId,
    subject: { kind: 'federated', name: parentNameOf(identity), policies: policyNamesOf(identity) },
    limits: [],
    keys: claimKeys(identity),
    expiresAtMs: undefined,
  }
}

export function claimKeys({ claims }: WebIdentity): Record<string, readonly string[]> {
  const keys: Record<string, readonly string[]> = {}
  for (const name of claimNames) {
    const values = [claims[name]].flat().filter(value => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    const texts = values.map(String).filter(text => text.length <= maxValueCharacters).slice(0, maxValues)
    if (texts.length > 0) keys[conditionKey(`jwt:${name}`)] = texts
  }
  return keys
}

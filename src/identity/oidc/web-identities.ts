import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../../../base/clock.ts'
import { KiB } from '../../../base/units.ts'
import { WebIdentityError, type Issuer, type WebIdentity } from './issuer.ts'
import { isPolicyClaim } from './federated-basis.ts'
import { providerKeys, type Fetch, type ProviderKeys } from './provider-keys.ts'

/** Verifies tokens of the configured providers. */
export interface WebIdentities {
  /** Throws `WebIdentityError`. */
  verify(token: string): Promise<WebIdentity>
  /** Whether the token says that it is of one of the providers; nothing of it is believed yet. */
  isOfIssuer(token: string): boolean
  named(name: string): Issuer | undefined
}

/** Asymmetric ones alone: with a symmetric one a provider's public key would do as the secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const maxTokenCharacters = 20 * KiB
const toleranceSeconds = 30

export function createWebIdentities({ issuers, clock, fetch }: { readonly issuers: readonly Issuer[]; readonly clock: Clock; readonly fetch: Fetch }): WebIdentities {
  const known = new Map(issuers.map(issuer => [issuer.issuer, { issuer, keys: providerKeys(issuer, clock, fetch) }]))
  const providerOf = (token: string): { readonly issuer: Issuer; readonly keys: ProviderKeys } | undefined => known.get(issuerOf(token) ?? '')
  return {
    isOfIssuer: token => providerOf(token) !== undefined,
    named: name => issuers.find(issuer => issuer.name === name),
    async verify(token) {
      const provider = providerOf(token)
      if (provider === undefined) throw new WebIdentityError('Malformed', 'The token is of no provider that is known here')
      const claims = await verified(token, provider.issuer, provider.keys, clock)
      return identityOf(provider.issuer, claims)
    },
  }
}

/** The claim `iss`, to find the provider by; not believed. */
function issuerOf(token: string): string | undefined {
  if (token.length > maxTokenCharacters || token.split('.').length !== 3) return undefined
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

async function verified(token: string, { issuer }: Issuer, keys: ProviderKeys, clock: Clock): Promise<JWTPayload> {
  const check = async (key: JWTVerifyGetKey): Promise<JWTPayload> => {
    const options = { issuer, algorithms, clockTolerance: toleranceSeconds, currentDate: new Date(clock.nowMs()), requiredClaims: ['sub', 'exp', 'aud'] }
    return (await jwtVerify(token, key, options)).payload
  }
  try {
    return await check(await keys.current())
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw refusal(error)
  }
  // The provider may have a new key since.
  try {
    return await check(await keys.renewed())
  } catch (error) {
    throw refusal(error)
  }
}

function refusal(error: unknown): WebIdentityError {
  if (error instanceof WebIdentityError) return error
  if (error instanceof errors.JWTExpired) return new WebIdentityError('Expired', 'The token has expired')
  if (error instanceof errors.JOSEError) return new WebIdentityError('Malformed', 'The token is not valid')
  throw error
}

function identityOf(issuer: Issuer, claims: JWTPayload): WebIdentity {
  const { sub, aud, azp, client_id: clientId, exp } = claims
  const audiences = [aud, azp, clientId].flat().filter(value => typeof value === 'string')
  const left = claimLeftOut(issuer, claims)
  if (left !== undefined) throw new WebIdentityError('Malformed', `The token leaves out its claim ${left} and says where to ask for it: have the provider put in fewer values`)
  const audience = audiences.find(value => issuer.clientIds.includes(value))
  if (audience === undefined) throw new WebIdentityError('Malformed', 'The token is for another audience')
  if (typeof sub !== 'string' || sub === '' || sub.length > 255 || typeof exp !== 'number') throw new WebIdentityError('Malformed', 'The token names nobody')
  return { issuer, subject: sub, audience, claims, expiresAtMs: exp * 1000 }
}

/**
 * A claim that policies are about and that the token has elsewhere (OpenID Connect Core §5.6.2), as Entra's for somebody in more
 * groups than fit. Without it a denial by group would not hold, and nobody is asked at an address that a token brings.
 */
function claimLeftOut({ claimPrefix, policyClaim }: Issuer, claims: JWTPayload): string | undefined {
  const elsewhere = claims['_claim_names']
  const names = typeof elsewhere === 'object' && elsewhere !== null ? Object.keys(elsewhere) : []
  if (claims['hasgroups'] === true && claims['groups'] === undefined) names.push('groups')
  return names.find(name => name === claimPrefix + policyClaim || isPolicyClaim(name))
}

import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { CatalogError } from '../../catalog/index.ts'
import { CredentialError, type Caller, type Credentials, type LookupAccessKey } from '../identity/caller.ts'
import type { TokenKeys } from '../identity/token-keys.ts'
import { authenticate as verifySignature } from '../sigv4/authenticate.ts'
import { SigV4Error } from '../sigv4/sigv4-error.ts'
import type { SignedRequest } from '../sigv4/signed-request.ts'
import type { SigningKeys } from '../sigv4/signing-keys.ts'
import { parseAccessToken, type AccessTokenClaims } from './oauth/access-token.ts'
import type { VerifiedTokens } from './oauth/verified-tokens.ts'

export interface AuthenticationSettings {
  readonly lookupAccessKey: LookupAccessKey
  readonly signingKeys: SigningKeys
  /** Verify tokens of ours. */
  readonly tokenKeys: TokenKeys
  readonly clock: Clock
  /** Identities of providers that are believed here. Absent: none. */
  readonly foreign?: ForeignTokens
  /** Absent: the signature of every token is computed each time. */
  readonly verifiedTokens?: VerifiedTokens
}

/** Tokens that others have issued. */
export interface ForeignTokens {
  /** Whether it says that it is one of theirs; nothing of it is believed yet. */
  isOfIssuer(token: string): boolean
  /** Undefined: it is not valid, or gives no right. */
  callerOf(token: string): Promise<Caller | undefined>
}

/** What catalog clients call this service when they sign: the Java and Python default first. */
const services = ['execute-api', 's3tables', 'glue', 's3']

/**
 * Who makes a request: by a bearer token of ours, or by a SigV4 signature. The body has been read:
 * services other than S3 sign it. Throws `NotAuthorized`.
 */
export async function authenticateRequest(
  request: SignedRequest, authorization: string | undefined, body: Uint8Array | undefined, settings: AuthenticationSettings,
): Promise<Caller> {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (bearer === undefined) return (await bySignature(request, authorization, body, settings)).caller
  const isOurs = settings.verifiedTokens?.has(bearer) === true
  return !isOurs && settings.foreign?.isOfIssuer(bearer) === true ? byForeignToken(bearer, settings.foreign) : (await byToken(bearer, settings)).caller
}

async function byForeignToken(token: string, foreign: ForeignTokens): Promise<Caller> {
  const caller = await foreign.callerOf(token)
  if (caller === undefined) throw notAuthorized('The access token is not valid')
  return caller
}

async function byToken(text: string, { lookupAccessKey, tokenKeys, clock, verifiedTokens }: AuthenticationSettings): Promise<Credentials> {
  const token = verifiedTokens === undefined ? parseAccessToken(text) : verifiedTokens.parse(text)
  const credentials = token === undefined ? undefined : await lookupOf(token.claims, lookupAccessKey)
  if (token === undefined || credentials === undefined || !(await token.verify({ keys: tokenKeys, secretAccessKey: credentials.secretAccessKey }))) {
    throw notAuthorized('The access token is not valid')
  }
  if (token.claims.expiresAtMs <= clock.nowMs()) throw notAuthorized('The access token has expired')
  return credentials
}

async function bySignature(
  request: SignedRequest, authorization: string | undefined, body: Uint8Array | undefined, settings: AuthenticationSettings,
): Promise<Credentials> {
  if (authorization?.startsWith('AWS4-') !== true) throw notAuthorized('Not authorized to make this request')
  let found: Credentials | undefined
  try {
    await verifySignature(request, {
      services,
      region: undefined,
      nowMs: settings.clock.nowMs(),
      keys: settings.signingKeys,
      bodySha256Hex: hash('sha256', body ?? new Uint8Array(), 'hex'),
      secretOf: async (accessKeyId, sessionToken) => {
        found = await settings.lookupAccessKey(accessKeyId, sessionToken)
        return found?.secretAccessKey
      },
    })
  } catch (error) {
    if (error instanceof SigV4Error) throw notAuthorized(error.message)
    throw error
  }
  if (found === undefined) throw notAuthorized('Not authorized to make this request')
  return found
}

/** The credentials behind one of our tokens; undefined when its session is over. */
export async function lookupOf({ accessKeyId, sessionToken }: AccessTokenClaims, lookupAccessKey: LookupAccessKey): Promise<Credentials | undefined> {
  try {
    return await lookupAccessKey(accessKeyId, sessionToken)
  } catch (error) {
    if (error instanceof CredentialError) return undefined
    throw error
  }
}

export function notAuthorized(message: string): CatalogError {
  return new CatalogError('NotAuthorized', message)
}

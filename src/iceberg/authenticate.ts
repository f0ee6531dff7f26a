import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { CatalogError } from '../../catalog/index.ts'
import type { Caller, Credentials, LookupAccessKey } from '../identity/caller.ts'
import { authenticate as verifySignature } from '../sigv4/authenticate.ts'
import { SigV4Error } from '../sigv4/sigv4-error.ts'
import type { SignedRequest } from '../sigv4/signed-request.ts'
import type { SigningKeys } from '../sigv4/signing-keys.ts'
import { parseAccessToken } from './oauth/access-token.ts'

export interface AuthenticationSettings {
  readonly lookupAccessKey: LookupAccessKey
  readonly signingKeys: SigningKeys
  readonly serverKey: Uint8Array
  readonly clock: Clock
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
  const credentials = bearer === undefined ? await bySignature(request, authorization, body, settings) : await byToken(bearer, settings)
  return credentials.caller
}

async function byToken(text: string, { lookupAccessKey, serverKey, clock }: AuthenticationSettings): Promise<Credentials> {
  const token = parseAccessToken(text)
  const credentials = token === undefined ? undefined : await lookupAccessKey(token.claims.accessKeyId)
  if (token === undefined || credentials === undefined || !token.verify({ serverKey, secretAccessKey: credentials.secretAccessKey })) {
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

export function notAuthorized(message: string): CatalogError {
  return new CatalogError('NotAuthorized', message)
}

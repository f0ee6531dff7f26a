import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../base/clock.ts'
import type { Caller, Credentials, LookupAccessKey } from '../../identity/caller.ts'
import type { Attempts } from '../../identity/attempts.ts'
import type { TokenKeys } from '../../identity/token-keys.ts'
import type { SessionCredentials } from '../../identity/session-token.ts'
import { lookupOf, type ForeignTokens } from '../authenticate.ts'
import { issueAccessToken, parseAccessToken, type AccessTokenClaims } from './access-token.ts'
import { OAuthError } from './oauth-error.ts'

export interface TokenSettings {
  readonly lookupAccessKey: LookupAccessKey
  /** Sign tokens, and verify those that are exchanged. */
  readonly tokenKeys: TokenKeys
  /** Where the client reaches the catalog: `https://lake.example.org/iceberg`. */
  readonly issuer: string
  readonly clock: Clock
  readonly lifetimeMs: number
  /** Slow down who guesses secrets. */
  readonly attempts: Attempts
  /** Tokens of others that are exchanged for ours. */
  readonly foreign?: ForeignTokens
  /** A session of a caller's own rights. */
  readonly openSession?: (caller: Caller, lifetimeMs: number) => Promise<SessionCredentials | undefined>
}

export interface TokenRequest {
  readonly contentType: string | undefined
  readonly authorization: string | undefined
  /** Where it is from: who guesses locks out nobody elsewhere. */
  readonly address: string | undefined
  readonly body: Uint8Array | undefined
}

export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly issued_token_type: string
  readonly scope?: string
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** What an identity provider's tokens may be called. */
const foreignTokenTypes = [accessTokenType, 'urn:ietf:params:oauth:token-type:jwt', 'urn:ietf:params:oauth:token-type:id_token']
const ownTokenTypes = [accessTokenType, 'urn:ietf:params:oauth:token-type:jwt']

/**
 * POST /v1/oauth/tokens: client credentials (RFC 6749 §4.4; client id and secret are an access key
 * and its secret) and token exchange (RFC 8693), which renews one of our own tokens: the token must
 * still be good, or the client must show its credentials. Throws `OAuthError`.
 */
export async function grantToken(request: TokenRequest, settings: TokenSettings): Promise<TokenResponse> {
  const form = readForm(request)
  const grantType = required(form, 'grant_type')
  switch (grantType) {
    case 'client_credentials': {
      const client = await authenticateClient(request, form, settings)
      if (client === undefined) throw new OAuthError('invalid_client', 'Client credentials are missing')
      return issue({ accessKeyId: client.caller.accessKeyId }, client, scopeOf(form), settings)
    }
    case tokenExchange:
      return exchangeToken(request, form, settings)
    default:
      throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials or token exchange')
  }
}

async function exchangeToken(request: TokenRequest, form: Form, settings: TokenSettings): Promise<TokenResponse> {
  const subjectToken = required(form, 'subject_token')
  if (settings.foreign?.isOfIssuer(subjectToken) === true) return exchangeForeign(subjectToken, form, settings.foreign, settings)
  if (!ownTokenTypes.includes(required(form, 'subject_token_type'))) throw new OAuthError('invalid_request', 'Only access tokens of this server can be exchanged')
  const requested = form.get('requested_token_type')
  if (requested !== undefined && !ownTokenTypes.includes(requested)) throw new OAuthError('invalid_request', 'Only access tokens can be requested')
  if (form.has('actor_token') !== form.has('actor_token_type')) throw new OAuthError('invalid_request', 'actor_token and actor_token_type go together')
  const client = await authenticateClient(request, form, settings)
  const token = parseAccessToken(subjectToken)
  const subject = token === undefined ? undefined : await lookupOf(token.claims, settings.lookupAccessKey)
  if (token === undefined || subject === undefined || !(await token.verify({ keys: settings.tokenKeys, secretAccessKey: subject.secretAccessKey }))) {
    throw new OAuthError('invalid_grant', 'The subject token is not valid')
  }
  const sameClient = client?.caller.accessKeyId === token.claims.accessKeyId
  if (client !== undefined && !sameClient) throw new OAuthError('invalid_grant', 'The subject token belongs to another client')
  if (!sameClient && token.claims.expiresAtMs <= settings.clock.nowMs()) throw new OAuthError('invalid_grant', 'The subject token has expired')
  return issue(token.claims, subject, scopeOf(form) ?? token.claims.scope, settings)
}

/** A provider's token for one of ours, which stands for a session that ends with the provider's at the latest. */
async function exchangeForeign(subjectToken: string, form: Form, foreign: ForeignTokens, settings: TokenSettings): Promise<TokenResponse> {
  if (!foreignTokenTypes.includes(required(form, 'subject_token_type'))) throw new OAuthError('invalid_request', 'The subject token type is none that can be exchanged')
  const requested = form.get('requested_token_type')
  if (requested !== undefined && !ownTokenTypes.includes(requested)) throw new OAuthError('invalid_request', 'Only access tokens can be requested')
  const caller = await foreign.callerOf(subjectToken)
  const session = caller === undefined ? undefined : await settings.openSession?.(caller, settings.lifetimeMs)
  if (caller === undefined || session === undefined) throw new OAuthError('invalid_grant', 'The subject token is not valid')
  const lifetimeMs = Math.min(settings.lifetimeMs, session.expiresAtMs - settings.clock.nowMs())
  return issue(session, { secretAccessKey: session.secretAccessKey, caller }, scopeOf(form), { ...settings, lifetimeMs })
}

async function issue(
  { accessKeyId, sessionToken }: Pick<AccessTokenClaims, 'accessKeyId' | 'sessionToken'>, { secretAccessKey, caller: { principal } }: Credentials, scope: string | undefined, settings: TokenSettings,
): Promise<TokenResponse> {
  const nowMs = settings.clock.nowMs()
  const claims = { accessKeyId, scope: scope ?? '', expiresAtMs: nowMs + settings.lifetimeMs, ...(sessionToken === undefined ? {} : { sessionToken }) }
  return {
    access_token: await issueAccessToken(claims, { keys: settings.tokenKeys, secretAccessKey }, { nowMs, issuer: settings.issuer, arn: principal.sessionArn ?? principal.arn }),
    token_type: 'bearer',
    expires_in: Math.floor(settings.lifetimeMs / 1000),
    issued_token_type: accessTokenType,
    ...(scope !== undefined && scope !== '' && { scope }),
  }
}

type Form = ReadonlyMap<string, string>

/** RFC 6749 §3.2: parameters without a value are as if omitted, and none may be repeated. */
function readForm({ contentType, body }: TokenRequest): Form {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'The body must be application/x-www-form-urlencoded')
  }
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(Buffer.from(body ?? []).toString('utf8'))) {
    if (value === '') continue
    if (form.has(name)) throw new OAuthError('invalid_request', 'A parameter is repeated')
    form.set(name, value)
  }
  return form
}

function required(form: Form, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `Missing parameter: ${name}`)
  return value
}

function scopeOf(form: Form): string | undefined {
  const scope = form.get('scope')
  if (scope !== undefined && (scope.length > 256 || !/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(scope))) {
    throw new OAuthError('invalid_scope', 'The scope is malformed')
  }
  return scope
}

interface ClientSecret {
  readonly clientId: string
  readonly clientSecret: string
  readonly usedBasic: boolean
}

/** The client's credentials, verified; undefined when it shows none. By Basic or in the form, never both (§2.3). */
async function authenticateClient(request: TokenRequest, form: Form, { lookupAccessKey, attempts }: TokenSettings): Promise<Credentials | undefined> {
  const basic = readBasic(request.authorization)
  const [clientId, clientSecret] = [form.get('client_id'), form.get('client_secret')]
  if (basic !== undefined && clientSecret !== undefined) throw new OAuthError('invalid_request', 'More than one kind of client authentication')
  const client: ClientSecret | undefined =
    basic ?? (clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret, usedBasic: false })
  if (client === undefined) return undefined
  const attempt = `${client.clientId} ${request.address ?? ''}`
  if (attempts.isLocked(attempt)) throw new OAuthError('invalid_client', 'Too many wrong secrets: try again later', client.usedBasic)
  const credentials = await lookupAccessKey(client.clientId)
  if (!sameSecret(client.clientSecret, credentials?.secretAccessKey) || credentials === undefined) {
    attempts.failed(attempt)
    throw new OAuthError('invalid_client', 'The client id or secret is wrong', client.usedBasic)
  }
  attempts.succeeded(attempt)
  return credentials
}

/** RFC 6749 §2.3.1: both halves are form-encoded. Clients that do not encode are understood where nothing is ambiguous. */
function readBasic(authorization: string | undefined): ClientSecret | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization ?? '')
  if (match === null) return undefined
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw new OAuthError('invalid_client', 'Malformed Basic credentials', true)
  return { clientId: formDecode(text.slice(0, colon)), clientSecret: formDecode(text.slice(colon + 1)), usedBasic: true }
}

function formDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** In constant time, whether or not there is such a client. */
function sameSecret(given: string, stored: string | undefined): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(stored ?? '')) && stored !== undefined
}

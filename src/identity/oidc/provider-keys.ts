import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../../../base/clock.ts'
import { KiB, hourMs, minuteMs } from '../../../base/units.ts'
import { readAnswer } from '../read-answer.ts'
import { WebIdentityError, type Issuer } from './issuer.ts'

/** The signing keys of a provider, found by discovery, kept for an hour, fetched anew when a token has a key that is not among them. */
export interface ProviderKeys {
  current(): Promise<JWTVerifyGetKey>
  /**
   * Since a token has a key that is not among the current ones: at once, and then not again for a minute, for tokens with
   * made-up keys must not become requests to the provider.
   */
  renewed(): Promise<JWTVerifyGetKey>
}

export type Fetch = (url: string, init: { readonly redirect: 'error'; readonly signal: AbortSignal; readonly headers: Readonly<Record<string, string>> }) => Promise<Response>

const keepMs = hourMs
const renewMs = minuteMs
const fetchTimeoutMs = 10_000
const maxDocumentBytes = 256 * KiB
const maxKeys = 100

export function providerKeys(issuer: Issuer, clock: Clock, fetch: Fetch): ProviderKeys {
  let known: { readonly keys: JWTVerifyGetKey; readonly atMs: number } | undefined
  let fetching: Promise<JWTVerifyGetKey> | undefined
  let renewedAtMs: number | undefined
  const renew = (): Promise<JWTVerifyGetKey> => {
    fetching ??= fetchKeys(issuer, fetch).then(
      keys => {
        known = { keys, atMs: clock.monotonicMs() }
        return keys
      },
    ).finally(() => {
      fetching = undefined
    })
    return fetching
  }
  const isOlderThan = (atMs: number | undefined, ageMs: number): boolean => atMs === undefined || clock.monotonicMs() - atMs >= ageMs
  return {
    current: async () => (known === undefined || isOlderThan(known.atMs, keepMs) ? renew() : known.keys),
    async renewed() {
      if (known !== undefined && !isOlderThan(renewedAtMs, renewMs)) return known.keys
      renewedAtMs = clock.monotonicMs()
      return renew()
    },
  }
}

async function fetchKeys(issuer: Issuer, fetch: Fetch): Promise<JWTVerifyGetKey> {
  const uri = issuer.jwksUri ?? (await discover(issuer, fetch))
  const document = await fetchJson(uri, fetch)
  const keys = isObject(document) && Array.isArray(document['keys']) ? (document['keys'] as unknown[]) : undefined
  if (keys === undefined || keys.length > maxKeys) throw unavailable(issuer, 'its key set is none')
  // Symmetric keys have no place in a public key set: whoever reads it could sign.
  const usable = keys.filter(key => isObject(key) && key['kty'] !== 'oct')
  return createLocalJWKSet({ keys: usable } as unknown as JSONWebKeySet)
}

/** OpenID Connect Discovery 1.0 §4: the document must be about the very issuer that was asked. */
async function discover(issuer: Issuer, fetch: Fetch): Promise<string> {
  const document = await fetchJson(`${issuer.issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`, fetch)
  const uri = isObject(document) && document['issuer'] === issuer.issuer ? document['jwks_uri'] : undefined
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw unavailable(issuer, 'its discovery document is not its own')
  // A provider may keep its keys on another host, but not lead us from the public net to plain HTTP.
  const { protocol, username } = new URL(uri)
  if (protocol !== new URL(issuer.issuer).protocol || username !== '') throw unavailable(issuer, 'its keys are elsewhere than it is')
  return uri
}

/** No redirects: the operator named this address and no other. */
async function fetchJson(url: string, fetch: Fetch): Promise<unknown> {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(fetchTimeoutMs), headers: { accept: 'application/json' } })
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    return JSON.parse(await readAnswer(response, maxDocumentBytes))
  } catch (cause) {
    throw new WebIdentityError('Unavailable', `${url} cannot be read`, { cause })
  }
}

const unavailable = (issuer: Issuer, problem: string): WebIdentityError => new WebIdentityError('Unavailable', `${issuer.issuer}: ${problem}`)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

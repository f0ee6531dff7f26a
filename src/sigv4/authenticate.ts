import { hash } from 'node:crypto'
import { CredentialError } from '../identity/caller.ts'
import { canonicalRequest, type SignedParts } from './canonical-request.ts'
import { checkRegionSet, checkScope, type Credential, type Placement, type Scope } from './credential.ts'
import { canonicalPayloadLine, emptySha256Hex, parsePayload, type Payload } from './payload.ts'
import { parseRequestSignature, type RequestSignature } from './request-signature.ts'
import { SigV4Error } from './sigv4-error.ts'
import { queryValue, viewRequest, type RequestView, type SignedRequest } from './signed-request.ts'
import type { SigningKeys, Verifier } from './signing-keys.ts'
import { elementTimestamp } from './timestamps.ts'
import { decodeComponent } from './uri-encoding.ts'

/** What a signature is verified against. */
export interface SignatureRules extends Scope {
  readonly nowMs: number
  readonly keys: SigningKeys
  readonly secretOf: SecretLookup
  /**
   * SHA-256 of the whole body in hex, where the caller has read it: services other than S3 sign it
   * without naming it in a header. Absent there: the body must be empty.
   */
  readonly bodySha256Hex?: string
}

/** The secret of an access key; undefined when there is none. It checks the session token of temporary keys itself, and throws `CredentialError`. */
export type SecretLookup = (accessKeyId: string, sessionToken: string | undefined) => Promise<string | undefined> | string | undefined

export type Authentication = Anonymous | Authenticated

/** No signature at all. `payload` is what the request says of its body. */
export interface Anonymous {
  readonly kind: 'anonymous'
  readonly payload: Payload
}

/** A verified signature. */
export interface Authenticated {
  readonly kind: 'authenticated'
  readonly placement: Placement
  readonly accessKeyId: string
  readonly sessionToken: string | undefined
  readonly service: string
  /** The credential scope's region; SigV4A's region set as sent. */
  readonly region: string
  readonly signedAtMs: number
  readonly payload: Payload
  /** From which the signatures of `aws-chunked` bodies go on. */
  readonly chain: SignatureChain
}

/** Chunk signatures are chained: each signs the one before, the first signs the request's. */
export interface SignatureChain {
  readonly verifier: Verifier
  readonly timestamp: string
  readonly scope: string
  readonly seedSignature: string
}

export const maxSkewMs = 15 * 60_000

/**
 * Verifies a request's SigV4 or SigV4A signature, in the Authorization header or the query
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
 * The body's bytes are not looked at: `openBody` holds them to `payload`.
 * Throws `SigV4Error` with S3's code for every way in which a signature can be wrong.
 */
export async function authenticate(request: SignedRequest, rules: SignatureRules): Promise<Authentication> {
  const view = viewRequest(request)
  const signature = parseRequestSignature(view)
  if (signature === undefined) {
    const declared = view.headers.get('x-amz-content-sha256')
    return { kind: 'anonymous', payload: declared === undefined ? { kind: 'unsigned' } : parsePayload(declared) }
  }
  const region = checkClaims(view, signature, rules)
  const { payload, line } = signedPayload(view, signature, rules)
  const { credential } = signature
  const secret = await secretOf(rules, credential.accessKeyId, signature.sessionToken)
  const verifier = rules.keys.get(signature.algorithm, credential, secret)
  verifyCanonicalRequest(view, signature, verifier, {
    headerNames: signature.headerNames,
    payloadLine: line,
    encodePathTwice: !singlyEncodedServices.has(credential.service),
    excludedParameter: signature.placement === 'query' ? 'X-Amz-Signature' : undefined,
  })
  rules.keys.keep(credential, secret, verifier)
  return {
    kind: 'authenticated',
    placement: signature.placement,
    accessKeyId: credential.accessKeyId,
    sessionToken: signature.sessionToken,
    service: credential.service,
    region,
    signedAtMs: signature.signedAtMs,
    payload,
    chain: { verifier, timestamp: signature.timestamp, scope: credential.scope, seedSignature: signature.signature },
  }
}

/** The secret that a signature must be made with. Throws `InvalidAccessKeyId`, `InvalidToken`, `ExpiredToken`. */
export async function secretOf(rules: SignatureRules, accessKeyId: string, sessionToken: string | undefined): Promise<string> {
  let secret: string | undefined
  try {
    secret = await rules.secretOf(accessKeyId, sessionToken)
  } catch (error) {
    throw error instanceof CredentialError ? new SigV4Error(error.code, error.message) : error
  }
  if (secret === undefined) throw unknownAccessKey(accessKeyId)
  return secret
}

function unknownAccessKey(accessKeyId: string): SigV4Error {
  return new SigV4Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', { AWSAccessKeyId: accessKeyId })
}

const singlyEncodedServices: ReadonlySet<string> = new Set(['s3', 's3express', 's3-outposts', 's3-object-lambda'])

/** Everything that can be refused without the secret. Returns the region (set) that was signed for. */
function checkClaims(view: RequestView, signature: RequestSignature, rules: SignatureRules): string {
  const { credential, placement, timestamp } = signature
  checkScope(credential, timestamp, rules, placement)
  let region = credential.region
  if (region === undefined) {
    region = placement === 'query' ? queryValue(view, 'X-Amz-Region-Set') : view.headers.get('x-amz-region-set')
    if (region === undefined) throw new SigV4Error('AccessDenied', 'A SigV4A signature requires X-Amz-Region-Set.')
    checkRegionSet(region, rules, placement)
  }
  checkSignedHeaders(view, signature)
  if (placement === 'query') checkExpiry(signature, rules.nowMs)
  else checkSkew(signature, rules.nowMs)
  return region
}

/** `host` and every `x-amz-*` header of the request must be signed, there or with the same value in the query. */
function checkSignedHeaders(view: RequestView, signature: RequestSignature): void {
  const signed = signature.headerNames
  const missing: string[] = []
  if (!signed.includes('host')) missing.push('host')
  for (const [name, value] of view.headers) {
    if (!name.startsWith('x-amz-') || signed.includes(name)) continue
    // A presigned URL may carry headers as parameters, which its signature covers.
    const inQuery = signature.placement === 'query' && view.query.some((parameter) => parameter.name.toLowerCase() === name && decodeComponent(parameter.value) === value)
    if (!inQuery) missing.push(name)
  }
  if (missing.length === 0) return
  throw new SigV4Error('AccessDenied', 'There were headers present in the request which were not signed', { HeadersNotSigned: missing.join(', ') })
}

function checkSkew(signature: RequestSignature, nowMs: number): void {
  if (Math.abs(nowMs - signature.signedAtMs) <= maxSkewMs) return
  throw new SigV4Error('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
    RequestTime: signature.timestamp,
    ServerTime: elementTimestamp(nowMs),
    MaxAllowedSkewMilliseconds: String(maxSkewMs),
  })
}

function checkExpiry(signature: RequestSignature, nowMs: number): void {
  const expiresSeconds = signature.expiresSeconds ?? 0
  const expiresAtMs = signature.signedAtMs + expiresSeconds * 1000
  if (signature.signedAtMs - nowMs > maxSkewMs) {
    throw new SigV4Error('AccessDenied', 'Request is not yet valid', {
      'X-Amz-Date': signature.timestamp,
      ServerTime: elementTimestamp(nowMs),
    })
  }
  if (nowMs < expiresAtMs) return
  throw new SigV4Error('AccessDenied', 'Request has expired', {
    'X-Amz-Expires': String(expiresSeconds),
    Expires: elementTimestamp(expiresAtMs),
    ServerTime: elementTimestamp(nowMs),
  })
}

/** What the request says of its body, and the canonical request's last line. */
function signedPayload(view: RequestView, signature: RequestSignature, rules: SignatureRules): { payload: Payload; line: string } {
  const inQuery = signature.placement === 'query'
  const declared = (inQuery ? queryValue(view, 'X-Amz-Content-Sha256') : undefined) ?? view.headers.get('x-amz-content-sha256')
  if (declared !== undefined) {
    const payload = parsePayload(declared)
    if (payload.kind === 'chunked' && payload.signed !== undefined && payload.signed !== signature.algorithm) {
      throw new SigV4Error('InvalidRequest', `The chunks of a request signed with ${signature.algorithm} cannot be signed with ${payload.signed}.`)
    }
    if (payload.kind === 'sha256' && rules.bodySha256Hex !== undefined && rules.bodySha256Hex !== payload.hex) {
      throw payloadMismatch(payload.hex, rules.bodySha256Hex)
    }
    return { payload, line: canonicalPayloadLine(declared, payload) }
  }
  if (!singlyEncodedServices.has(signature.credential.service)) {
    const hex = rules.bodySha256Hex ?? emptySha256Hex
    return { payload: { kind: 'sha256', hex }, line: hex }
  }
  if (inQuery) return { payload: { kind: 'unsigned' }, line: 'UNSIGNED-PAYLOAD' }
  throw new SigV4Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
}

export function payloadMismatch(claimedHex: string, computedHex: string): SigV4Error {
  return new SigV4Error('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
    ClientComputedContentSHA256: claimedHex,
    S3ComputedContentSHA256: computedHex,
  })
}

function verifyCanonicalRequest(view: RequestView, signature: RequestSignature, verifier: Verifier, parts: SignedParts): void {
  const first = canonicalRequest(view, parts, 0) ?? ''
  let previous = ''
  for (let form = 0, canonical: string | undefined = first; canonical !== undefined; form++, canonical = canonicalRequest(view, parts, form)) {
    if (canonical !== previous && signs(canonical, signature, verifier)) return
    previous = canonical
  }
  throw signatureMismatch(signature.credential, signature.signature, stringToSign(signature, Buffer.from(first, 'latin1')), first)
}

const nonAscii = /[^\x00-\x7f]/

/** Header values are signed as the bytes on the wire, or by some clients as UTF-8 of the text they sent in Latin-1. */
function signs(canonical: string, signature: RequestSignature, verifier: Verifier): boolean {
  if (!nonAscii.test(canonical)) return verifier.matches(stringToSign(signature, canonical), signature.signature)
  return (['latin1', 'utf8'] as const).some((encoding) =>
    verifier.matches(stringToSign(signature, Buffer.from(canonical, encoding)), signature.signature),
  )
}

function stringToSign(signature: RequestSignature, canonical: string | Buffer): string {
  return `${signature.algorithm}\n${signature.timestamp}\n${signature.credential.scope}\n${hash('sha256', canonical, 'hex')}`
}

/** The refusal of a wrong signature, with the elements that clients print. */
export function signatureMismatch(credential: Credential, provided: string, toSign: string, canonical?: string): SigV4Error {
  const detail: Record<string, string> = {
    AWSAccessKeyId: credential.accessKeyId,
    StringToSign: toSign,
    SignatureProvided: provided,
    StringToSignBytes: spacedHex(toSign),
  }
  if (canonical !== undefined) {
    detail['CanonicalRequest'] = canonical
    detail['CanonicalRequestBytes'] = spacedHex(canonical)
  }
  return new SigV4Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    detail,
  )
}

const spacedHex = (text: string): string => Buffer.from(text, 'latin1').toString('hex').replace(/..(?!$)/g, '$& ')

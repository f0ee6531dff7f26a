import { parseCredential, malformed, type Credential, type Placement } from './credential.ts'
import type { SignatureAlgorithm } from './payload.ts'
import { SigV4Error } from './sigv4-error.ts'
import { queryValue, type RequestView } from './signed-request.ts'
import { basicTimestamp, parseBasicTimestamp } from './timestamps.ts'

/** A signature as a request carries it, not yet believed. */
export interface RequestSignature {
  readonly placement: Placement
  readonly algorithm: SignatureAlgorithm
  readonly credential: Credential
  /** Lower case, as listed. */
  readonly headerNames: readonly string[]
  readonly signature: string
  /** `yyyyMMdd'T'HHmmss'Z'`. */
  readonly timestamp: string
  readonly signedAtMs: number
  /** Only in the query. */
  readonly expiresSeconds: number | undefined
  readonly sessionToken: string | undefined
}

const unsupportedV2 = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'

/** The request's signature; undefined when it has none at all (an anonymous request). */
export function parseRequestSignature(view: RequestView): RequestSignature | undefined {
  const authorization = view.headers.get('authorization')
  const algorithm = queryValue(view, 'X-Amz-Algorithm')
  const signedV2 = queryValue(view, 'Signature') !== undefined && queryValue(view, 'AWSAccessKeyId') !== undefined
  if (authorization !== undefined && (algorithm !== undefined || signedV2)) {
    throw new SigV4Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      { ArgumentName: 'Authorization', ArgumentValue: authorization },
    )
  }
  if (authorization !== undefined) return parseHeader(view, authorization)
  if (signedV2) throw new SigV4Error('InvalidRequest', unsupportedV2)
  if (algorithm !== undefined) return parseQuerySignature(view, algorithm)
  if (queryValue(view, 'X-Amz-Signature') !== undefined || queryValue(view, 'X-Amz-Credential') !== undefined) throw missingParameters()
  return undefined
}

export const isSignatureAlgorithm = (text: string): text is SignatureAlgorithm => text === 'AWS4-HMAC-SHA256' || text === 'AWS4-ECDSA-P256-SHA256'

function parseHeader(view: RequestView, authorization: string): RequestSignature {
  const cut = authorization.indexOf(' ')
  const algorithm = cut < 0 ? authorization : authorization.slice(0, cut)
  if (algorithm === 'AWS') throw new SigV4Error('InvalidRequest', unsupportedV2)
  if (!isSignatureAlgorithm(algorithm)) {
    throw new SigV4Error('InvalidArgument', 'Unsupported Authorization Type', { ArgumentName: 'Authorization', ArgumentValue: algorithm })
  }
  const fields = headerFields(cut < 0 ? '' : authorization.slice(cut + 1))
  const field = (name: string): string => {
    const value = fields.get(name)
    if (value === undefined || value === '') throw malformed('header', `missing ${name}.`)
    return value
  }
  const credential = parseCredential(field('Credential'), algorithm, 'header')
  const { timestamp, signedAtMs } = headerTimestamp(view)
  return {
    placement: 'header',
    algorithm,
    credential,
    headerNames: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    timestamp,
    signedAtMs,
    expiresSeconds: undefined,
    sessionToken: view.headers.get('x-amz-security-token'),
  }
}

/** `Credential=…, SignedHeaders=…,Signature=…`, with or without spaces. */
function headerFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const piece of text.split(',')) {
    const cut = piece.indexOf('=')
    if (cut < 0) throw malformed('header', `the authorization component "${piece.trim()}" is malformed.`)
    const name = piece.slice(0, cut).trim()
    if (fields.has(name)) throw malformed('header', `the authorization component "${name}" occurs twice.`)
    fields.set(name, piece.slice(cut + 1).trim())
  }
  return fields
}

/** `x-amz-date`, or `Date` where that is absent. */
function headerTimestamp(view: RequestView): { timestamp: string; signedAtMs: number } {
  const timestamp = view.headers.get('x-amz-date') ?? view.headers.get('date')
  const basicMs = timestamp === undefined ? undefined : parseBasicTimestamp(timestamp)
  if (timestamp !== undefined && basicMs !== undefined) return { timestamp, signedAtMs: basicMs }
  const httpMs = timestamp === undefined || !/^[A-Z][a-z]{2}, \d\d? /.test(timestamp) ? NaN : Date.parse(timestamp)
  if (Number.isNaN(httpMs)) throw new SigV4Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  return { timestamp: basicTimestamp(httpMs), signedAtMs: httpMs }
}

const weekSeconds = 7 * 24 * 3600

function missingParameters(): SigV4Error {
  return queryError(
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
  )
}

function parseQuerySignature(view: RequestView, algorithm: string): RequestSignature {
  const value = (name: string): string => {
    const found = queryValue(view, name)
    if (found === undefined || found === '') throw missingParameters()
    return found
  }
  if (!isSignatureAlgorithm(algorithm)) throw queryError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
  const credentialText = value('X-Amz-Credential')
  const signature = value('X-Amz-Signature')
  const timestamp = value('X-Amz-Date')
  const headerNames = value('X-Amz-SignedHeaders').split(';')
  const expiresSeconds = parseExpires(value('X-Amz-Expires'))
  const signedAtMs = parseBasicTimestamp(timestamp)
  if (signedAtMs === undefined) throw queryError('X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd\'T\'HHmmss\'Z\'"')
  return {
    placement: 'query',
    algorithm,
    credential: parseCredential(credentialText, algorithm, 'query'),
    headerNames,
    signature,
    timestamp,
    signedAtMs,
    expiresSeconds,
    sessionToken: queryValue(view, 'X-Amz-Security-Token'),
  }
}

function parseExpires(text: string): number {
  if (!/^-?\d+$/.test(text)) throw queryError('X-Amz-Expires should be a number')
  const expiresSeconds = Number(text)
  if (expiresSeconds < 0) throw queryError('X-Amz-Expires must be non-negative')
  if (expiresSeconds === 0) throw queryError('X-Amz-Expires must be at least 1 second')
  if (expiresSeconds > weekSeconds) {
    throw queryError('X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds')
  }
  return expiresSeconds
}

const queryError = (message: string): SigV4Error => new SigV4Error('AuthorizationQueryParametersError', message)

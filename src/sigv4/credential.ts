import type { SignatureAlgorithm } from './payload.ts'
import { SigV4Error, type ErrorDetail, type SigV4ErrorCode } from './sigv4-error.ts'

/** `AKID/20260131/us-east-1/s3/aws4_request`; SigV4A's has no region. */
export interface Credential {
  readonly accessKeyId: string
  /** `yyyyMMdd`. */
  readonly date: string
  readonly region: string | undefined
  readonly service: string
  /** What the string to sign names: everything after the access key id. */
  readonly scope: string
}

/** Where a signature stood: S3 words its refusals accordingly. */
export type Placement = 'header' | 'query' | 'form'

/** What this endpoint is called in credential scopes. */
export interface Scope {
  /** Accepted service names; the first is the one that errors name. */
  readonly services: readonly string[]
  /** Undefined: any region is accepted. */
  readonly region: string | undefined
}

const malformedIn: Readonly<Record<Placement, { readonly code: SigV4ErrorCode; readonly prefix: string }>> = {
  header: { code: 'AuthorizationHeaderMalformed', prefix: 'The authorization header is malformed; ' },
  query: { code: 'AuthorizationQueryParametersError', prefix: 'Error parsing the X-Amz-Credential parameter; ' },
  form: { code: 'InvalidArgument', prefix: 'Error parsing the x-amz-credential field; ' },
}

/** The refusal of a signature whose form is wrong, in the words of its placement. */
export function malformed(placement: Placement, problem: string, detail: ErrorDetail = {}): SigV4Error {
  const { code, prefix } = malformedIn[placement]
  return new SigV4Error(code, `${prefix}${problem}`, detail)
}

/** Splits a credential. Access key ids may hold slashes; what follows them may not. */
export function parseCredential(text: string, algorithm: SignatureAlgorithm, placement: Placement): Credential {
  const pieces = text.split('/')
  const terminal = pieces.pop()
  const service = pieces.pop()
  const region = algorithm === 'AWS4-HMAC-SHA256' ? pieces.pop() : undefined
  const date = pieces.pop()
  const accessKeyId = pieces.join('/')
  if (accessKeyId === '' || !date || !service || (algorithm === 'AWS4-HMAC-SHA256' && !region)) {
    throw malformed(placement, 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
  }
  if (terminal !== 'aws4_request') {
    throw malformed(placement, `incorrect terminal "${terminal ?? ''}". This endpoint uses "aws4_request".`)
  }
  if (!/^\d{8}$/.test(date)) {
    throw malformed(placement, `incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`)
  }
  return { accessKeyId, date, region, service, scope: text.slice(accessKeyId.length + 1) }
}

/** Refuses a credential made for another service, day or region. */
export function checkScope(credential: Credential, timestamp: string, scope: Scope, placement: Placement): void {
  if (!scope.services.includes(credential.service)) {
    const expected = scope.services[0] ?? ''
    throw malformed(placement, `incorrect service "${credential.service}". This endpoint belongs to "${expected}".`)
  }
  if (credential.region !== undefined && scope.region !== undefined && credential.region !== scope.region) {
    throw malformed(placement, `the region '${credential.region}' is wrong; expecting '${scope.region}'`, { Region: scope.region })
  }
  if (!timestamp.startsWith(credential.date)) {
    const day = timestamp.slice(0, 8)
    throw malformed(placement, `Invalid credential date "${credential.date}". This date is not the same as X-Amz-Date: "${day}".`)
  }
}

/** SigV4A: the region set must name the configured region; `*` stands for any run of characters. */
export function checkRegionSet(regionSet: string, scope: Scope, placement: Placement): void {
  const region = scope.region
  if (region === undefined) return
  const covers = regionSet.split(',').some((pattern) => matchesPattern(pattern.trim(), region))
  if (!covers) throw malformed(placement, `the region set '${regionSet}' does not contain '${region}'`, { Region: region })
}

/** Linear in both lengths: each literal piece is searched for once, from left to right. */
function matchesPattern(pattern: string, text: string): boolean {
  const pieces = pattern.split('*')
  const first = pieces.shift() ?? ''
  const last = pieces.pop()
  if (last === undefined) return first === text
  if (!text.startsWith(first)) return false
  let from = first.length
  for (const piece of pieces) {
    const at = text.indexOf(piece, from)
    if (at < 0) return false
    from = at + piece.length
  }
  return text.length - last.length >= from && text.endsWith(last)
}

import { S3Error } from '../wire/errors.ts'
import type { CORSRule } from '@aws-sdk/client-s3'

const ruleLimit = 100
const methods = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])

/** AWS's rules for a CORS configuration. Errors: MalformedXML, InvalidRequest. */
export function refuseInvalidCors(rules: readonly CORSRule[]): void {
  if (rules.length === 0 || rules.length > ruleLimit) throw new S3Error('MalformedXML')
  for (const { AllowedMethods: allowedMethods = [], AllowedOrigins: origins = [], AllowedHeaders: headers = [], ExposeHeaders: exposed = [] } of rules) {
    if (allowedMethods.length === 0 || origins.length === 0) throw new S3Error('MalformedXML')
    for (const method of allowedMethods) {
      if (!methods.has(method)) throw new S3Error('InvalidRequest', `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`)
    }
    for (const origin of origins) {
      if (wildcards(origin) > 1) throw new S3Error('InvalidRequest', `AllowedOrigin "${origin}" can not have more than one wildcard.`)
    }
    for (const header of headers) {
      if (wildcards(header) > 1) throw new S3Error('InvalidRequest', `AllowedHeader "${header}" can not have more than one wildcard.`)
    }
    for (const header of exposed) {
      if (wildcards(header) > 0) throw new S3Error('InvalidRequest', `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader`)
    }
  }
}

const wildcards = (text: string): number => text.split('*').length - 1

/** What a browser asks, in a preflight or with a request. */
export interface CorsRequest {
  readonly origin: string
  readonly method: string
  /** The headers of Access-Control-Request-Headers; empty for a request that is no preflight. */
  readonly headers: readonly string[]
}

/** The response headers of the first rule that allows the request, or undefined: then nothing is said of CORS. */
export function corsHeaders(rules: readonly CORSRule[], request: CorsRequest): Record<string, string> | undefined {
  const rule = rules.find(candidate => allows(candidate, request))
  if (rule === undefined) return undefined
  const anyOrigin = rule.AllowedOrigins?.includes('*') === true
  return {
    'access-control-allow-origin': anyOrigin ? '*' : request.origin,
    ...(anyOrigin ? {} : { 'access-control-allow-credentials': 'true' }),
    'access-control-allow-methods': (rule.AllowedMethods ?? []).join(', '),
    ...(request.headers.length > 0 ? { 'access-control-allow-headers': request.headers.join(', ').toLowerCase() } : {}),
    ...(rule.ExposeHeaders === undefined || rule.ExposeHeaders.length === 0 ? {} : { 'access-control-expose-headers': rule.ExposeHeaders.join(', ') }),
    ...(rule.MaxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  }
}

function allows(rule: CORSRule, { origin, method, headers }: CorsRequest): boolean {
  return (
    (rule.AllowedMethods ?? []).includes(method) &&
    (rule.AllowedOrigins ?? []).some(pattern => matches(pattern, origin)) &&
    headers.every(header => (rule.AllowedHeaders ?? []).some(pattern => matches(pattern.toLowerCase(), header.toLowerCase())))
  )
}

/** A pattern has at most one `*`. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text
  return text.length >= pattern.length - 1 && text.startsWith(pattern.slice(0, star)) && text.endsWith(pattern.slice(star + 1))
}

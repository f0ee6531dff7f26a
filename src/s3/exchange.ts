import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseAddress } from '../wire/address.ts'
import { detectOperation } from '../wire/detect.ts'
import { S3Error } from '../wire/errors.ts'
import { parseQuery } from '../wire/query.ts'
import type { Address } from '../wire/address.ts'
import type { Query } from '../wire/query.ts'
import type { S3OperationName } from '../wire/s3-operations.ts'
import type { RequestContext } from '../telemetry/request-context.ts'

/** One request on its way through the pipeline, and where its answer goes. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly context: RequestContext
  readonly method: string
  /** As the request line has it, without the query. */
  readonly path: string
  readonly address: Address
  /** The request is for a bucket's website: its host is `BUCKET.` and a website domain. */
  readonly isWebsite: boolean
  readonly query: Query
}

/** Host names under which `BUCKET.NAME` is a bucket, for requests of S3 and for its website. */
export interface HostDomains {
  readonly domains: readonly string[]
  readonly websiteDomains: readonly string[]
}

/** Errors: InvalidURI, KeyTooLongError. */
export function openExchange(request: IncomingMessage, response: ServerResponse, context: RequestContext, { domains, websiteDomains }: HostDomains): Exchange {
  const url = request.url ?? '/'
  const cut = url.indexOf('?')
  const path = cut < 0 ? url : url.slice(0, cut)
  const host = request.headers.host ?? ''
  const website = websiteDomains.length === 0 ? undefined : parseAddress({ host, path, domains: websiteDomains })
  const isWebsite = website !== undefined && website.kind !== 'service' && website.style === 'virtualHost'
  return {
    request,
    response,
    context,
    method: request.method ?? 'GET',
    path,
    address: isWebsite ? website : parseAddress({ host, path, domains }),
    isWebsite,
    query: parseQuery(cut < 0 ? '' : url.slice(cut + 1)),
  }
}

/** Which operation a request is. Errors: MethodNotAllowed, InvalidArgument (several sub-resources at once, half an operation's parameters). */
export function operationOf({ method, address, query, request }: Exchange): S3OperationName {
  const detected = detectOperation({ method, pathKind: address.kind, query, headers: request.headers })
  if ('operation' in detected) return detected.operation
  if (detected.unknown === 'conflict') {
    throw new S3Error('InvalidArgument', `Conflicting query string parameters: ${detected.names.join(', ')}`, { ArgumentName: 'ResourceType', ArgumentValue: detected.names[0] })
  }
  if (detected.unknown === 'incomplete') {
    throw new S3Error('InvalidArgument', `This operation does not accept ${detected.name} by itself`, { ArgumentName: detected.name, ArgumentValue: query.get(detected.name)?.[0] })
  }
  throw new S3Error('MethodNotAllowed', undefined, { Method: method, ResourceType: address.kind.toUpperCase() })
}

export const bucketOf = (address: Address): string => (address.kind === 'service' ? '' : address.bucket)
export const keyOf = (address: Address): string => (address.kind === 'object' ? address.key : '')

/** An object's URL in the style that the client used: its own host, its own bucket placement. */
export function urlOf({ request, address }: Exchange, key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/')
  const origin = `${'encrypted' in request.socket ? 'https' : 'http'}://${request.headers.host ?? ''}`
  return address.kind !== 'service' && address.style === 'path' ? `${origin}/${address.bucket}/${path}` : `${origin}/${path}`
}

import { EngineError } from '../../engine/index.ts'
import { S3Error } from '../wire/errors.ts'
import { decodeDocument } from './bucket-documents.ts'
import { corsHeaders } from './cors.ts'
import { bucketOf } from './exchange.ts'
import type { CORSRule } from '@aws-sdk/client-s3'
import type { Exchange } from './exchange.ts'
import type { CorsRequest } from './cors.ts'
import type { S3Service } from './operation.ts'

/** A browser's preflight, which is never signed. Errors: BadRequest without its headers, CORSForbidden when no rule allows it. */
export async function preflight(exchange: Exchange, service: S3Service): Promise<void> {
  const { request, response, context } = exchange
  context.notes.operation = 'OptionsObject'
  const origin = request.headers.origin
  const method = request.headers['access-control-request-method']
  if (origin === undefined || method === undefined) {
    throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.')
  }
  const asked = request.headers['access-control-request-headers'] ?? ''
  const headers = asked.split(',').map(name => name.trim()).filter(name => name !== '')
  const allowed = await allowedBy(exchange, service, { origin, method, headers })
  if (allowed === undefined) {
    throw new S3Error('CORSForbidden', undefined, { Method: method, ResourceType: exchange.address.kind.toUpperCase() })
  }
  response.writeHead(200, { ...allowed, 'content-length': '0' })
  response.end()
}

/** Lets a page of another origin see the answer, whatever it will be: errors are its business too. */
export async function showToOrigin(exchange: Exchange, service: S3Service): Promise<void> {
  const { request, response, method } = exchange
  const { origin } = request.headers
  if (origin === undefined) return
  const allowed = await allowedBy(exchange, service, { origin, method, headers: [] })
  for (const [name, value] of Object.entries(allowed ?? {})) response.setHeader(name, value)
}

async function allowedBy({ address }: Exchange, { engine }: S3Service, request: CorsRequest): Promise<Record<string, string> | undefined> {
  if (address.kind === 'service') return undefined
  const stored = await engine.getBucketDocument(bucketOf(address), 'cors').catch((error: unknown) => {
    if (error instanceof EngineError && error.code === 'NoSuchBucket') return undefined
    throw error
  })
  return stored === undefined ? undefined : corsHeaders(decodeDocument<{ CORSRules: CORSRule[] }>(stored).CORSRules, request)
}

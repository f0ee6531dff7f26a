import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { KiB } from '../../base/units.ts'
import type { Clock } from '../../base/clock.ts'
import type { AdmitRequest, Caller, LookupAccessKey } from '../identity/caller.ts'
import type { QueryCall } from '../identity/query-call.ts'
import { authenticate } from '../sigv4/authenticate.ts'
import type { SigningKeys } from '../sigv4/signing-keys.ts'
import { SigV4Error, type SigV4ErrorCode } from '../sigv4/sigv4-error.ts'
import type { RequestContext } from '../telemetry/request-context.ts'
import { QueryError, type QueryErrorCode } from '../wire/query-error.ts'
import type { QueryModel } from '../wire/query-operations.ts'
import { parseForm, readQuery, type Form } from '../wire/read-query.ts'
import { writeQuery, writeQueryError } from '../wire/write-query.ts'

/** IAM or STS: a model, and what runs its operations. */
export interface QueryService {
  readonly model: QueryModel
  /** What credential scopes call it, the first is the one that errors name. */
  readonly signingNames: readonly string[]
  /** Authorizes and runs. Throws `QueryError`; `caller` is undefined where the request is not signed. */
  run(name: string, input: object, call: QueryCall & { readonly request: IncomingMessage }): Promise<object>
}

export interface QueryHandlerOptions {
  readonly services: readonly QueryService[]
  readonly lookupAccessKey: LookupAccessKey
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly isSecure: boolean
  /** Whether the caller may make one more request now. Absent: always. */
  readonly admitRequest?: AdmitRequest
}

const bodyLimitBytes = 256 * KiB

/** Requests of AWS's query protocol, `POST /` with `Action` and `Version`: parse, authenticate, read input, run, write. */
export function queryHandler(options: QueryHandlerOptions): (request: IncomingMessage, response: ServerResponse, context: RequestContext) => Promise<void> {
  return async (request, response, context) => {
    let namespace = ''
    try {
      if (context.expectsContinue) response.writeContinue()
      const body = await readBody(request)
      const form = formOf(request, body)
      const action = form.get('Action')
      if (action === undefined) throw new QueryError('MissingAction', 'The request is missing an Action parameter.')
      const service = serviceOf(action, form.get('Version'), options.services)
      namespace = service.model.namespace
      const operation = service.model.operations.get(action)
      if (operation === undefined) throw unknownAction(action, form.get('Version'))
      context.notes.operation = action
      const caller = await callerOf(request, body, service, options)
      if (caller !== undefined) context.notes.accessKeyId = caller.accessKeyId
      if (caller !== undefined && options.admitRequest?.(caller) === false) throw new QueryError('Throttling', 'Rate exceeded')
      const input = readQuery(operation, form)
      const sourceIp = request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '')
      const client = { sourceIp, isSecure: options.isSecure, userAgent: request.headers['user-agent'] }
      const noteDecision: QueryCall['noteDecision'] = decision => {
        context.notes.decision = decision
      }
      const output = await service.run(action, input, { caller, requestId: context.requestId, client, request, noteDecision })
      answer(response, 200, writeQuery(service.model, operation, output, context.requestId))
    } catch (error) {
      const refusal = toQueryError(error)
      context.notes.errorCode = refusal.code
      if (refusal.status === 500) context.notes.fault = error
      answer(response, refusal.status, writeQueryError(namespace, refusal, context.requestId))
    }
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' })
  response.end(body)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length
    if (sizeBytes > bodyLimitBytes) throw new QueryError('ValidationError', `The request is larger than ${bodyLimitBytes} bytes.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Parameters stand in the body, in the query, or in both; none stands twice. */
function formOf(request: IncomingMessage, body: Buffer): Form {
  const url = request.url ?? '/'
  const cut = url.indexOf('?')
  const contentType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (body.length > 0 && contentType !== 'application/x-www-form-urlencoded') {
    throw new QueryError('ValidationError', 'The body must be application/x-www-form-urlencoded.')
  }
  return parseForm([cut < 0 ? '' : url.slice(cut + 1), body.toString('utf8')].filter(text => text !== '').join('&'))
}

function serviceOf(action: string, version: string | undefined, services: readonly QueryService[]): QueryService {
  const service = services.find(({ model }) => model.version === version)
  if (service === undefined) throw unknownAction(action, version)
  return service
}

const unknownAction = (action: string, version: string | undefined): QueryError =>
  new QueryError('InvalidAction', `Could not find operation ${action} for version ${version ?? 'NO_VERSION_SPECIFIED'}`)

async function callerOf(request: IncomingMessage, body: Buffer, { signingNames }: QueryService, { lookupAccessKey, keys, clock }: QueryHandlerOptions): Promise<Caller | undefined> {
  let caller: Caller | undefined
  await authenticate(
    { method: request.method ?? 'POST', url: request.url ?? '/', rawHeaders: request.rawHeaders },
    {
      nowMs: clock.nowMs(),
      keys,
      services: signingNames,
      region: undefined,
      bodySha256Hex: hash('sha256', body, 'hex'),
      async secretOf(accessKeyId, sessionToken) {
        const credentials = await lookupAccessKey(accessKeyId, sessionToken)
        caller = credentials?.caller
        return credentials?.secretAccessKey
      },
    },
  )
  return caller
}

const signatureCodes: Readonly<Partial<Record<SigV4ErrorCode, QueryErrorCode>>> = {
  ExpiredToken: 'ExpiredToken',
  InvalidAccessKeyId: 'InvalidClientTokenId',
  InvalidToken: 'InvalidClientTokenId',
  RequestTimeTooSkewed: 'SignatureDoesNotMatch',
  SignatureDoesNotMatch: 'SignatureDoesNotMatch',
  XAmzContentSHA256Mismatch: 'SignatureDoesNotMatch',
}

function toQueryError(error: unknown): QueryError {
  if (error instanceof QueryError) return error
  if (error instanceof SigV4Error) {
    if (error.code === 'InvalidAccessKeyId' || error.code === 'InvalidToken') return new QueryError('InvalidClientTokenId', 'The security token included in the request is invalid.')
    return new QueryError(signatureCodes[error.code] ?? 'IncompleteSignature', error.message)
  }
  return new QueryError('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.', { cause: error })
}

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MiB, minuteMs } from '../../base/units.ts'
import { badRequest, CatalogError, errorResponse, type Catalog, type CatalogResponse, type Endpoint, type ServedOperationId, type TableFiles, type VendedCredentials } from '../../catalog/index.ts'
import { EngineError, type EngineErrorCode } from '../../engine/index.ts'
import { contextOf } from '../telemetry/request-context.ts'
import { Attempts } from '../identity/attempts.ts'
import { authenticateRequest, notAuthorized, type AuthenticationSettings } from './authenticate.ts'
import { authorizeBy, type CatalogRequestFacts, type CatalogRights } from './authorize.ts'
import type { AdmitRequest, Caller } from '../identity/caller.ts'
import type { SessionCredentials } from '../identity/session-token.ts'
import type { Principal } from '../policy/principal.ts'
import { OAuthError } from './oauth/oauth-error.ts'
import { createRemoteSigner, type SigningCredentials } from './remote-signer.ts'
import { grantToken } from './oauth/token-endpoint.ts'
import { registerTokenKeyRoutes } from './oauth/token-key-routes.ts'
import { VerifiedTokens } from './oauth/verified-tokens.ts'

export interface IcebergRoutesOptions extends AuthenticationSettings, CatalogRights {
  readonly catalog: Catalog
  readonly tokenLifetimeMs: number
  /** `s3.region` and `client.region` of every client. */
  readonly region: string
  /** Credentials for a table's files, for the caller. Absent: none are vended. */
  readonly vend?: (caller: Caller, files: TableFiles) => Promise<VendedCredentials | undefined>
  /** A session of a caller's own rights, for tokens that are exchanged. */
  readonly openSession?: (caller: Caller, lifetimeMs: number) => Promise<SessionCredentials | undefined>
  /** Hosts whose first label before them is a bucket. */
  readonly s3Domains?: readonly string[]
  /** The S3 endpoint that clients use. Absent: the one they reached the catalog by. */
  readonly s3Endpoint?: string
  /** Whether the caller may make one more request now. Absent: always. */
  readonly admitRequest?: AdmitRequest
  /** Commits that carry long lists of snapshots are large; more than this is refused. */
  readonly maxBodyBytes?: number
}

type RoutesOptions = IcebergRoutesOptions & { readonly attempts: Attempts }

/** The second is AIStor's, for clients made for it. */
export const icebergPrefixes = ['/iceberg', '/_iceberg'] as const

const defaultMaxBodyBytes = 32 * MiB

/** The Iceberg REST catalog over HTTP: what `catalog.endpoints` has, and the token endpoint. */
export function icebergRoutes(options: IcebergRoutesOptions): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const remembering = { verifiedTokens: new VerifiedTokens(), attempts: new Attempts(options.clock), ...options }
    for (const prefix of icebergPrefixes) await app.register(async (scope) => registerRoutes(scope, remembering), { prefix })
  }
}

function registerRoutes(scope: FastifyInstance, options: RoutesOptions): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: options.maxBodyBytes ?? defaultMaxBodyBytes }, (_request, body, done) => {
    done(null, body)
  })
  scope.setErrorHandler((error, request, reply) => refuseIcebergRequest(error, request, reply))
  scope.setNotFoundHandler((request, reply) => {
    send(reply, errorResponse(new CatalogError('NotFound', `No such route: ${request.method} ${request.url.split('?')[0]}`)))
  })
  scope.route({ method: 'POST', url: '/v1/oauth/tokens', handler: (request, reply) => serveToken(request, reply, options) })
  registerTokenKeyRoutes(scope, { tokenKeys: options.tokenKeys, issuerOf: request => issuerOf(request, options) })
  for (const [operationId, { method, path }] of options.catalog.endpoints) {
    scope.route({
      method,
      url: routeOf(path),
      exposeHeadRoute: false,
      onRequest: (request, _reply, done) => done(request.headers.authorization === undefined ? notAuthorized('Not authorized to make this request') : undefined),
      handler: async (request, reply) => {
        await serve(operationId, request, reply, options)
        // A stream is under way: without the reply Fastify would end the answer here, with nothing in it.
        return reply
      },
    })
  }
}

/** `{plan-id}` -> `:planid`: a hyphen would end the router's parameter. */
function routeOf(path: Endpoint['path']): string {
  return path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => `:${name.replaceAll('-', '')}`)
}

async function serve(operationId: ServedOperationId, request: FastifyRequest, reply: FastifyReply, options: IcebergRoutesOptions): Promise<void> {
  const { notes } = contextOf(request.raw)
  notes.operation = operationId
  const body = request.body instanceof Buffer ? request.body : undefined
  const signed = { method: request.method, url: request.originalUrl, rawHeaders: request.raw.rawHeaders }
  const caller = await authenticateRequest(signed, request.headers.authorization, body, options)
  notes.accessKeyId = caller.accessKeyId
  if (options.admitRequest?.(caller) === false) throw new CatalogError('SlowDown', 'Too many requests: try again')
  const { principal, account } = caller
  const response = await options.catalog.run({
    operationId,
    caller: { accountId: account.accountId, principalId: principal.userId, isRoot: principal.kind === 'serverRoot' },
    ...(options.vend === undefined ? {} : { vend: vendTo(caller, options.vend) }),
    signer: createRemoteSigner({ clock: options.clock, domains: options.s3Domains ?? [], credentials: () => signingCredentials(caller, options) }),
    authorize: authorizeBy(factsOf(request, principal, options), options),
    path: pathOf(request.params as Record<string, string>),
    query: singleValues(request.query as Record<string, string | string[]>),
    headers: firstValues(request.headers),
    body,
    fileIoProperties: fileIoProperties(request, options),
  })
  if (response.status >= 400) notes.errorCode = response.errorType ?? String(response.status)
  send(reply, response)
}

/** How long a session lives that a request is signed with; a signature is good for 15 minutes. */
const signingLifetimeMs = 15 * minuteMs

/** A long-term key signs for itself, everything else by a session of its rights: the caller's own token is not kept. */
async function signingCredentials(caller: Caller, { lookupAccessKey, openSession }: IcebergRoutesOptions): Promise<SigningCredentials | undefined> {
  if (caller.basis?.expiresAtMs !== undefined) return openSession?.(caller, signingLifetimeMs)
  const { accessKeyId } = caller
  const found = await lookupAccessKey(accessKeyId)
  return found && { accessKeyId, secretAccessKey: found.secretAccessKey }
}

const vendTo = (caller: Caller, vend: NonNullable<IcebergRoutesOptions['vend']>) => (files: TableFiles) => vend(caller, files)

function factsOf(request: FastifyRequest, principal: Principal, { clock }: IcebergRoutesOptions): CatalogRequestFacts {
  const { 'user-agent': userAgent, referer } = request.headers
  const sourceIp = request.raw.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '')
  return { principal, notes: contextOf(request.raw).notes, nowMs: clock.nowMs(), sourceIp, isSecure: request.protocol === 'https', userAgent, referer }
}

function pathOf({ planid, ...path }: Record<string, string>): Record<string, string> {
  return planid === undefined ? path : { ...path, 'plan-id': planid }
}

/** A parameter that comes twice has no one meaning. */
function singleValues(query: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => {
    if (typeof value !== 'string') throw badRequest(`Query parameter given twice: ${name}`)
    return [name, value]
  }))
}

function firstValues(members: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, Array.isArray(value) ? (name === 'tagKeys' ? value.join(',') : value[0]) : value]))
}

function fileIoProperties(request: FastifyRequest, options: IcebergRoutesOptions): Record<string, string> {
  const { region } = options
  return {
    's3.endpoint': endpointOf(request, options),
    's3.path-style-access': 'true',
    's3.region': region,
    'client.region': region,
  }
}

/** The same under both prefixes: a token says one name of where it is from. */
const issuerOf = (request: FastifyRequest, options: IcebergRoutesOptions): string => `${endpointOf(request, options)}${icebergPrefixes[0]}`

const endpointOf = ({ protocol, host }: FastifyRequest, { s3Endpoint }: IcebergRoutesOptions): string => s3Endpoint ?? `${protocol}://${host}`

async function serveToken(request: FastifyRequest, reply: FastifyReply, options: RoutesOptions): Promise<void> {
  contextOf(request.raw).notes.operation = 'getToken'
  const body = request.body instanceof Buffer ? request.body : undefined
  const { authorization, 'content-type': contentType } = request.headers
  reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
  try {
    const token = await grantToken({ authorization, contentType, body, address: request.raw.socket.remoteAddress }, { ...options, lifetimeMs: options.tokenLifetimeMs, issuer: issuerOf(request, options) })
    send(reply, { status: 200, headers: {}, body: JSON.stringify(token), errorType: undefined })
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    contextOf(request.raw).notes.errorCode = error.code
    const headers: Record<string, string> = error.status === 401 && error.usedBasic ? { 'www-authenticate': 'Basic realm="moraine"' } : {}
    send(reply, { status: error.status, headers, body: JSON.stringify({ error: error.code, error_description: error.message }), errorType: error.code })
  }
}

/** Answers what goes wrong before the catalog is asked: too large a body, a broken path, no authorization. */
export function refuseIcebergRequest(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { notes } = contextOf(request.raw)
  const known = toCatalogError(error)
  notes.errorCode = known.type
  if (known.code === 'InternalServer') notes.fault = error
  send(reply, errorResponse(known))
}

/** What the store may say that is over in a while. */
const passing: ReadonlySet<EngineErrorCode> = new Set<EngineErrorCode>(['Contention', 'Unwritable', 'Unreadable', 'StorageFull', 'OutcomeUnknown', 'Io'])

function toCatalogError(error: unknown): CatalogError {
  if (error instanceof CatalogError) return error
  // To read an access key, or to make the first key for tokens: the catalog was not asked yet.
  if (error instanceof EngineError && passing.has(error.code)) return new CatalogError('ServiceUnavailable', 'Nothing was done; try again', { cause: error })
  const status = statusOf(error)
  if (status === 413) return new CatalogError('ContentTooLarge', 'The request body is too large')
  if (status < 500 && error instanceof Error) return new CatalogError('BadRequest', error.message)
  return new CatalogError('InternalServer', 'Internal error', { cause: error })
}

/** Fastify's errors carry their status: 413 for a body over the limit. */
function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
}

function send(reply: FastifyReply, { status, headers, body }: CatalogResponse): void {
  reply.status(status).headers(headers)
  if (body === undefined) reply.send()
  else reply.header('content-type', 'application/json').send(typeof body === 'string' ? Buffer.from(body, 'utf8') : Array.isArray(body) ? Buffer.concat(body) : Readable.from(body))
}

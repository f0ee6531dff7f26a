import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { assert, must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { KiB, secondMs } from '../../base/units.ts'
import type { ListenAddress } from '../config/values.ts'
import { attachContext, type RequestContext } from '../telemetry/request-context.ts'
import type { LogRequest } from '../telemetry/request-log.ts'
import { linger, lingerOnClose, type Lingering } from './linger.ts'
import { surfaceOf } from './surface.ts'
import type { ServerTls } from './tls/server-tls.ts'

/** Answers one request of S3, or of IAM and STS, completely. A rejection is a fault of ours: 500, or the connection is cut. */
export type S3Handler = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => Promise<void>

export interface HttpServerOptions {
  readonly s3: S3Handler
  /** IAM and STS. */
  readonly query: S3Handler
  /** Registers the routes under `/minio/`, `/iceberg/` and `/_iceberg/`. */
  readonly routes: (app: FastifyInstance) => Promise<void>
  /** Answers what the router itself refuses under these: a path with broken escapes, or longer than it takes. */
  readonly refuseUrl?: (error: unknown, request: FastifyRequest, reply: FastifyReply) => void
  readonly nextRequestId: () => string
  readonly logRequest: LogRequest
  /** Undefined: go on. Else the request waits for it, and is refused (503) when it says `false`. */
  readonly admit?: () => Promise<boolean> | undefined
  readonly clock: Clock
  /** Hosts whose first label before them is a bucket. */
  readonly domains: readonly string[]
  readonly bodyIdleTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** How long a client is listened to whose request was answered before it had come as a whole, and the connection is to be closed. */
  readonly lingering?: Lingering
  /** Absent: plain HTTP. */
  readonly tls?: ServerTls
  /** Certificates that cannot be used; those in use stay. */
  readonly onCertificateFault?: (error: unknown) => void
}

export interface HttpServer {
  /** Resolves with the port once connections are accepted. */
  listen(address: ListenAddress): Promise<number>
  /**
   * Accepts nothing new, lets the requests under way finish for at most `timeoutMs`, then cuts what
   * is left. `true` when all of them finished.
   */
  drain(timeoutMs: number): Promise<boolean>
}

const headersTimeoutMs = 30 * secondMs
const headersBytes = 32 * KiB
const headersCount = 200
const drainPollMs = 20
/** How soon a renewed certificate is shown. */
const certificatesPollMs = 5 * secondMs
/** RFC 6797: a year. Only sent over TLS, where alone it means something. */
const transportSecurity = 'max-age=31536000; includeSubDomains'

/**
 * One HTTP server for every protocol. S3 requests go to their handler as they come, before any
 * router: an object's key may be any bytes, and no router may decode, refuse or rewrite it. The rest
 * is Fastify's. Bodies are unread when a handler gets them.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const exchanges = new WeakMap<Socket, ServerResponse>()
  const lingering = { clock: options.clock, ...options.lingering }
  let draining = false
  let route: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  const server = newServer(options)
  const accept = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const context: RequestContext = { requestId: options.nextRequestId(), expectsContinue, notes: {} }
    exchanges.set(request.socket, response)
    options.logRequest(request, response, context)
    response.setHeader('x-amz-request-id', context.requestId)
    response.setHeader('server', 'Moraine')
    if (options.tls !== undefined) response.setHeader('strict-transport-security', transportSecurity)
    if (draining) response.setHeader('connection', 'close')
    if (request.rawHeaders.length > headersCount * 2) {
      response.writeHead(431, { connection: 'close', 'content-length': '0' }).end()
      return
    }
    const waiting = options.admit?.()
    if (waiting === undefined) dispatch(request, response, context)
    else waiting.then(admitted => (admitted ? dispatch(request, response, context) : refuseForNow(request, response, context)), (error: unknown) => failExchange(response, context, error))
  }
  const dispatch = (request: IncomingMessage, response: ServerResponse, context: RequestContext): void => {
    const surface = surfaceOf(request.method, request.url ?? '/', request.headers.host, options.domains)
    if (surface !== 'router') {
      options[surface](request, response, context).catch((error: unknown) => failExchange(response, context, error))
      return
    }
    attachContext(request, context)
    if (context.expectsContinue) response.writeContinue()
    must(route, 'routes are ready before the server listens')(request, response)
  }
  server.on('request', (request, response) => accept(request, response, false))
  server.on('checkContinue', (request, response) => accept(request, response, true))
  server.on('timeout', socket => onIdle(socket, exchanges.get(socket), options.bodyIdleTimeoutMs))
  server.on('clientError', (error, socket) => refuse(error, socket as Socket, exchanges, lingering))
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    lingerOnClose(socket, () => exchanges.get(socket)?.req.complete === false, lingering)
  })

  const app = fastify({
    serverFactory: handler => {
      route = handler
      return server
    },
    routerOptions: { maxParamLength: 8 * KiB },
    ...(options.refuseUrl !== undefined && { frameworkErrors: options.refuseUrl }),
    return503OnClosing: false,
  })
  await options.routes(app)
  await app.ready()
  const stopped = new AbortController()
  const following = followCertificates(server, options, stopped.signal)
  return {
    listen: address => listen(server, address),
    drain: async timeoutMs => {
      draining = true
      const finished = await drain(server, timeoutMs, options.clock)
      stopped.abort()
      await following
      await app.close()
      return finished
    },
  }
}

function newServer({ tls, keepAliveTimeoutMs, bodyIdleTimeoutMs }: HttpServerOptions): Server {
  const limits = {
    maxHeaderSize: headersBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: 0,
    connectionsCheckingInterval: 5 * secondMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    insecureHTTPParser: false,
    noDelay: true,
  }
  const server = tls === undefined ? createServer(limits) : createTlsServer({ ...limits, ...tls.options })
  // Node drops the headers beyond its count without a word, and a dropped condition is data loss: one more is let in, and refused.
  server.maxHeadersCount = headersCount + 1
  server.maxRequestsPerSocket = 0
  server.timeout = bodyIdleTimeoutMs
  return server
}

/** Shows renewed certificates without a restart; connections that are open keep theirs. */
async function followCertificates(server: Server, { tls, clock, onCertificateFault = () => {} }: HttpServerOptions, signal: AbortSignal): Promise<void> {
  if (tls === undefined || !(server instanceof TlsServer)) return
  await tls.follow({ clock, signal, intervalMs: certificatesPollMs, apply: context => server.setSecureContext(context), onFault: onCertificateFault })
}

function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Without a host Node listens on `::`, which takes IPv4 too, or on 0.0.0.0 where there is no IPv6.
    server.listen({ port, ...(host === undefined ? {} : { host }), backlog: 4096 }, () => {
      server.off('error', reject)
      const address: AddressInfo | string | null = server.address()
      assert(address !== null && typeof address === 'object', 'a TCP server has a port')
      resolve(address.port)
    })
  })
}

async function drain(server: Server, timeoutMs: number, clock: Clock): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const state = { closed: false }
  server.close(() => {
    state.closed = true
  })
  while (!state.closed && clock.monotonicMs() < deadlineMs) {
    // A connection whose response began before the drain is kept alive after it: close it then.
    server.closeIdleConnections()
    await clock.sleep(drainPollMs)
  }
  if (!state.closed) server.closeAllConnections()
  return state.closed
}

/** A standing connection is cut, unless it waits for us: the request is complete and the answer not begun. */
function onIdle(socket: Socket, response: ServerResponse | undefined, idleTimeoutMs: number): void {
  if (response !== undefined && response.req.complete && !response.headersSent) socket.setTimeout(idleTimeoutMs)
  else socket.destroy()
}

/** What is no HTTP (or too much of it) gets a status and a closed connection; never inside another response. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, exchanges: WeakMap<Socket, ServerResponse>, lingering: Lingering & { readonly clock: Clock }): void {
  const response = exchanges.get(socket)
  const answering = response !== undefined && response.headersSent && !response.writableFinished
  if (!socket.writable || answering || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  linger(socket, lingering)
}

/** Nothing was done, and a retry may help: 503, as each protocol says it. */
function refuseForNow(request: IncomingMessage, response: ServerResponse, { requestId, notes }: RequestContext): void {
  const message = 'The server cannot take the request now. Please try again.'
  const isCatalog = /^\/_?iceberg\//.test(request.url ?? '')
  notes.errorCode = isCatalog ? 'ServiceUnavailableException' : 'ServiceUnavailable'
  const body = isCatalog
    ? JSON.stringify({ error: { message, type: 'ServiceUnavailableException', code: 503 } })
    : `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>ServiceUnavailable</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`
  const type = isCatalog ? 'application/json' : 'application/xml'
  response.writeHead(503, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'retry-after': '1', connection: 'close' })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The last resort for a handler that failed without answering. */
function failExchange(response: ServerResponse, { requestId, notes }: RequestContext, error: unknown): void {
  notes.fault ??= error
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message><RequestId>${requestId}</RequestId></Error>`
  response.writeHead(500, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body), connection: 'close' })
  response.end(body)
}

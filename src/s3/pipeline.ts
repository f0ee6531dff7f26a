import { must } from '../../base/assert.ts'
import { MiB } from '../../base/units.ts'
import { authenticate } from '../sigv4/authenticate.ts'
import { admissionOf, anonymousCaller, authorizedAfterBody, hideMissing, withBody, type Admission } from './admission.ts'
import { S3Error } from '../wire/errors.ts'
import { defaultXmlLimits } from '../wire/parse-xml.ts'
import { requestReaderOf } from '../wire/read-request.ts'
import { responseWriterOf } from '../wire/write-response.ts'
import { isAccountBlockRequest, serveAccountBlock } from './account-block-requests.ts'
import { send, sendError } from './answer.ts'
import { placedNeeds } from './authorize.ts'
import { factsOf, type S3RequestFacts } from './request-facts.ts'
import { uploadForm } from './form-upload.ts'
import { bucketOf, keyOf, openExchange, operationOf, urlOf } from './exchange.ts'
import { preflight, showToOrigin } from './preflight.ts'
import { operationNamed } from './operations.ts'
import { refuseUnhonoured } from './refusals.ts'
import { collectedBody, streamedBody } from './request-body.ts'
import { admitted } from './storage-quota.ts'
import { serveWebsite } from './website-server.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bucket } from '../../engine/index.ts'
import type { AdmitRequest, Caller, LookupAccessKey } from '../identity/caller.ts'
import type { Authentication } from '../sigv4/authenticate.ts'
import type { SigningKeys } from '../sigv4/signing-keys.ts'
import type { RequestContext } from '../telemetry/request-context.ts'
import type { S3OperationName } from '../wire/s3-operations.ts'
import type { FormRules } from './form-upload.ts'
import type { Exchange } from './exchange.ts'
import type { AnyOperation } from './operations.ts'
import type { Call, S3Service, Transport } from './operation.ts'

/** Service names that a signature for S3 may be scoped to. */
const services = ['s3', 's3express']

/** The largest XML body: 10,000 parts with checksums take about 3 MiB. */
const documentLimitBytes = 8 * MiB

export interface PipelineOptions {
  readonly service: S3Service
  readonly lookupAccessKey: LookupAccessKey
  readonly keys: SigningKeys
  /** A configured region binds signatures; undefined: any region is accepted. */
  readonly requiredRegion: string | undefined
  readonly domains: readonly string[]
  /** Host names under which `BUCKET.NAME` is a bucket's website. */
  readonly websiteDomains: readonly string[]
  /** The second request id that AWS clients print. */
  readonly hostId: string
  /** Whether the caller may make one more request now. Absent: always. */
  readonly admitRequest?: AdmitRequest
}

/**
 * Every S3 request: address, detect, authenticate, read input, authorize, run, write output.
 * The returned handler answers completely; what it cannot answer is its caller's 500.
 */
export function s3Handler(options: PipelineOptions): (request: IncomingMessage, response: ServerResponse, context: RequestContext) => Promise<void> {
  return async (request, response, context) => {
    const headOnly = request.method === 'HEAD'
    response.setHeader('x-amz-id-2', options.hostId)
    try {
      const exchange = openExchange(request, response, context, options)
      if (exchange.method !== 'OPTIONS') await showToOrigin(exchange, options.service)
      if (exchange.method === 'OPTIONS') await preflight(exchange, options.service)
      else if (exchange.isWebsite) await serveWebsite(exchange, options.service, { authenticated: () => visitorOf(exchange, options), hostId: options.hostId })
      else if (isAccountBlockRequest(exchange)) await serveAccountBlock(exchange, options.service, await controlOf(exchange, options))
      else if (isForm(exchange)) await uploadForm(exchange, options.service, formRules(options))
      else await handle(exchange, options, headOnly)
    } catch (error) {
      // No request can follow on the connection behind a body that was not asked for, or was given up half-way.
      if (!request.complete && (context.expectsContinue || request.destroyed)) response.setHeader('connection', 'close')
      sendError(response, context, error, { resource: (request.url ?? '/').split('?')[0] ?? '/', headOnly, hostId: options.hostId })
    }
  }
}

async function handle(exchange: Exchange, options: PipelineOptions, headOnly: boolean): Promise<void> {
  const { context, response } = exchange
  const name = operationOf(exchange)
  context.notes.operation = name
  noteAddress(exchange)
  const { authentication, caller } = await authenticated(exchange, options)
  const operation = operationNamed(name)
  if (operation === undefined) throw new S3Error('NotImplemented', `${name} is not implemented.`)
  const facts = factsOf(exchange, { operation: name, caller, authentication, nowMs: options.service.nowMs() })
  const versionId = exchange.query.get('versionId')?.[0]
  const admission = await admissionOf(options.service, facts, { scope: operation.scope, bucket: bucketOf(exchange.address), key: keyOf(exchange.address), versionId })
  const call = await callOf(exchange, options, { name, operation, authentication, caller, admission })
  const output = await outputOf(operation, call, admission)
  const written = responseWriterOf(name)(output)
  const headers = { ...written.headers, ...output.$headers }
  await send(response, { status: output.$status ?? written.status, headers, body: written.body }, headOnly)
}

function noteAddress({ address, context }: Exchange): void {
  if (address.kind !== 'service') context.notes.bucket = address.bucket
  if (address.kind === 'object') context.notes.key = address.key
}

async function outputOf(operation: AnyOperation, call: Call<object>, admission: Admission): Promise<object & Transport> {
  try {
    return await operation.run(call)
  } catch (error) {
    throw await hideMissing(call.service, admission, error)
  } finally {
    call.storage.release()
  }
}

async function authenticated({ request, method, context }: Exchange, { lookupAccessKey, keys, requiredRegion, service, admitRequest }: PipelineOptions): Promise<{ authentication: Authentication; caller: Caller }> {
  let caller: Caller | undefined
  const authentication = await authenticate(
    { method, url: request.url ?? '/', rawHeaders: request.rawHeaders },
    {
      nowMs: service.nowMs(),
      keys,
      services,
      region: requiredRegion,
      async secretOf(accessKeyId, sessionToken) {
        const credentials = await lookupAccessKey(accessKeyId, sessionToken)
        caller = credentials?.caller
        return credentials?.secretAccessKey
      },
    },
  )
  if (authentication.kind === 'anonymous') return { authentication, caller: anonymousCaller }
  const known = must(caller, 'a verified signature has a caller')
  context.notes.accessKeyId = known.accessKeyId
  if (admitRequest?.(known) === false) throw new S3Error('SlowDown')
  return { authentication, caller: known }
}

async function controlOf(exchange: Exchange, options: PipelineOptions): Promise<Parameters<typeof serveAccountBlock>[2]> {
  exchange.context.notes.operation = 'AccountPublicAccessBlock'
  const { authentication, caller } = await authenticated(exchange, options)
  return { authentication, facts: factsOf(exchange, { operation: 'AccountPublicAccessBlock', caller, authentication, nowMs: options.service.nowMs() }) }
}

async function visitorOf(exchange: Exchange, options: PipelineOptions): Promise<S3RequestFacts> {
  const { authentication, caller } = await authenticated(exchange, options)
  return factsOf(exchange, { operation: 'GetObject', caller, authentication, nowMs: options.service.nowMs() })
}

/** A browser's upload: the form itself is signed, not the request. */
const isForm = ({ method, address, request }: Exchange): boolean =>
  method === 'POST' && address.kind === 'bucket' && request.headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true

function formRules({ lookupAccessKey, keys, requiredRegion, service, admitRequest }: PipelineOptions): FormRules {
  return {
    rules: { nowMs: service.nowMs(), keys, services, region: requiredRegion, secretOf: async (id, token) => (await lookupAccessKey(id, token))?.secretAccessKey },
    callerOf: async (id, token) => {
      const caller = (await lookupAccessKey(id, token))?.caller
      if (caller !== undefined && admitRequest?.(caller) === false) throw new S3Error('SlowDown')
      return caller
    },
  }
}

interface Detected {
  readonly name: S3OperationName
  readonly operation: AnyOperation
  readonly authentication: Authentication
  readonly caller: Caller
  readonly admission: Admission
}

async function callOf(exchange: Exchange, { service }: PipelineOptions, { name, operation, authentication, caller, admission }: Detected): Promise<Call<object>> {
  const { request, response, context, address, query } = exchange
  const reader = requestReaderOf(name)
  const proceed = () => {
    if (context.expectsContinue && !response.headersSent) response.writeContinue()
  }
  const source = { request, authentication, proceed }
  const bucket = bucketOf(address)
  const key = keyOf(address)
  // Before the body, where it does not matter: a refused upload sends no bytes.
  const { bucketRow } = admission
  const waitsForBody = authorizedAfterBody.has(name)
  if (!waitsForBody) await service.authorizer.require(admission.facts, admission.needs)
  const body = reader.body === 'document' ? await collectedBody(source, { limitBytes: documentLimitBytes, ownChecksums: operation.checksumsOfObject !== true }) : undefined
  const read = reader.read({ bucket: bucket || undefined, key: key || undefined, query, headers: request.headers, body }, documentLimits)
  const { facts, needs } = waitsForBody ? withBody(admission, read.input) : admission
  if (waitsForBody) await service.authorizer.require(facts, needs)
  refuseUnhonoured(operation, read)
  const storage = service.storageQuota.open(caller.account, bucketRow?.ownerId ?? caller.account.id)
  return {
    input: read.input,
    bucket,
    key,
    caller,
    service,
    bucketRow: bucketRow ?? noBucket,
    storage,
    body: wanted => {
      const streamed = streamedBody(source, wanted)
      return { ...streamed, source: admitted(streamed.source, streamed.declaredBytes, storage) }
    },
    rawExpires: request.headers.expires,
    ifRange: singleHeader(request, 'if-range'),
    rawResponseExpires: query.get('response-expires')?.[0],
    require: own => service.authorizer.require(facts, own),
    needsOf: (entryOperation, entryKey, versionId) => placedNeeds({ ...facts, operation: entryOperation }, { bucket: bucketRow, key: entryKey, versionId, source: admission.sourceRow }),
    urlOf: target => urlOf(exchange, target),
  }
}

/** Only operations on a bucket look at its row. */
const noBucket = new Proxy({} as Bucket, { get: () => must<never>(undefined, 'only operations on a bucket see its row') })

const documentLimits = { ...defaultXmlLimits, bytes: documentLimitBytes }

function singleHeader({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

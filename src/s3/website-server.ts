import type { WebsiteConfiguration } from '@aws-sdk/client-s3'
import { S3Error } from '../wire/errors.ts'
import { requestReaderOf } from '../wire/read-request.ts'
import { responseWriterOf } from '../wire/write-response.ts'
import { escapeText } from '../wire/xml-text.ts'
import { send } from './answer.ts'
import { decodeDocument } from './bucket-documents.ts'
import { toS3Error } from './engine-errors.ts'
import { bucketOf, keyOf } from './exchange.ts'
import { readVersion } from './read-version.ts'
import { folderIndexOf, pathOf, planWebsiteError, planWebsiteRequest } from './website-routing.ts'
import type { Caller } from '../identity/caller.ts'
import type { Exchange } from './exchange.ts'
import type { S3Service } from './operation.ts'
import type { WebsiteRequest, WebsiteStep } from './website-routing.ts'

/** One request to a website host, and the configuration that answers it. */
interface Visit {
  readonly exchange: Exchange
  readonly service: S3Service
  readonly bucket: string
  readonly website: WebsiteConfiguration
  readonly request: WebsiteRequest
}

/**
 * A bucket's website on its own host: https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 *
 * Reads only, and errors as HTML. Without bucket policies nobody is allowed to read anonymously, so that only signed requests
 * (presigned URLs among them) of callers who may read the bucket are served: `authenticated` throws for all others.
 */
export async function serveWebsite(exchange: Exchange, service: S3Service, { authenticated, hostId }: { readonly authenticated: () => Promise<Caller>; readonly hostId: string }): Promise<void> {
  exchange.context.notes.operation = 'WebsiteGetObject'
  try {
    await visit(exchange, service, authenticated)
  } catch (error) {
    await sendHtmlError(exchange, error, hostId)
  }
}

async function visit(exchange: Exchange, service: S3Service, authenticated: () => Promise<Caller>): Promise<void> {
  const { method, address, request: { headers } } = exchange
  if (method !== 'GET' && method !== 'HEAD') throw new S3Error('MethodNotAllowed', undefined, { Method: method, ResourceType: 'OBJECT' })
  const caller = await authenticated()
  exchange.context.notes.accessKeyId = caller.accessKeyId
  const bucket = bucketOf(address)
  await service.admitBucket(bucket, caller, undefined)
  const stored = await service.engine.getBucketDocument(bucket, 'website')
  if (stored === undefined) throw new S3Error('NoSuchWebsiteConfiguration', undefined, { BucketName: bucket })
  const website = decodeDocument<WebsiteConfiguration>(stored)
  const request: WebsiteRequest = { protocol: 'http', host: headers.host ?? '', key: keyOf(address) }
  const here: Visit = { exchange, service, bucket, website, request }
  const step = planWebsiteRequest(website, request)
  try {
    await answer(here, step, undefined)
  } catch (error) {
    await recover(here, toS3Error(error))
  }
}

/** After an error: the folder that was meant, a rule for the error, the error document, else the error itself. */
async function recover(here: Visit, error: S3Error): Promise<void> {
  const { exchange, service, bucket, website, request } = here
  if (exchange.response.headersSent || error.status < 400 || error.status === 412 || error.status === 416) throw error
  const index = error.code === 'NoSuchKey' ? folderIndexOf(website, request) : undefined
  if (index !== undefined && (await exists(service, bucket, index))) {
    await redirect(exchange, { status: 302, location: pathOf(`${request.key}/`) })
    return
  }
  const step = planWebsiteError(website, request, error.status)
  if (step === undefined) throw error
  try {
    await answer(here, step, error)
  } catch {
    // The error document cannot be read: what happened is said without it.
    throw error
  }
}

async function exists({ engine }: S3Service, bucket: string, key: string): Promise<boolean> {
  try {
    await engine.headObject({ bucket, key })
    return true
  } catch (error) {
    if (toS3Error(error).status === 404) return false
    throw error
  }
}

async function answer(here: Visit, step: WebsiteStep, error: S3Error | undefined): Promise<void> {
  if (step.kind === 'redirect') await redirect(here.exchange, step)
  else await sendObject(here, step.key, error)
}

/** The object, under the error's status where it is an error document. Conditions and ranges are of the object that was asked for. */
async function sendObject({ exchange, service, bucket }: Visit, key: string, error: S3Error | undefined): Promise<void> {
  const { request: { headers }, method, response, context } = exchange
  const wanted = error === undefined ? headers : {}
  const { input } = requestReaderOf('GetObject').read({ bucket, key, query: new Map(), headers: wanted })
  const reader = await service.engine.getObject({ bucket, key })
  const redirection = reader.version.attributes.headers['x-amz-website-redirect-location']
  if (redirection !== undefined && error === undefined) {
    await redirect(exchange, { status: 301, location: redirection })
    return
  }
  const ifRange = typeof wanted['if-range'] === 'string' ? wanted['if-range'] : undefined
  const { slice, output } = await readVersion({ input, ifRange, rawResponseExpires: undefined }, reader)
  const { status, headers: written, body } = responseWriterOf('GetObject')({ ...output, Body: reader.read(slice) })
  if (error !== undefined) context.notes.errorCode = error.code
  await send(response, { status: error?.status ?? status, headers: written, body }, method === 'HEAD')
}

async function redirect({ response, method }: Exchange, { status, location }: { readonly status: number; readonly location: string }): Promise<void> {
  await send(response, { status, headers: { Location: location }, body: undefined }, method === 'HEAD')
}

/** Browsers show this page, so it is HTML; HEAD and 304 have no body. */
async function sendHtmlError({ response, context, method }: Exchange, thrown: unknown, hostId: string): Promise<void> {
  const error = toS3Error(thrown)
  context.notes.errorCode = error.code
  if (error.code === 'InternalError') context.notes.fault = thrown
  if (response.headersSent) {
    response.destroy()
    return
  }
  const title = `${error.status} ${error.code}`
  const items = [['Code', error.code], ['Message', error.message], ...Object.entries(error.elements), ['RequestId', context.requestId], ['HostId', hostId]]
  const lines = items.flatMap(([name, value]) => (value === undefined ? [] : [`<li>${name}: ${escapeText(String(value))}</li>\n`]))
  const body = `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<ul>\n${lines.join('')}</ul>\n<hr/>\n</body>\n</html>\n`
  const headers: Record<string, string> = { ...error.headers, 'Content-Type': 'text/html; charset=utf-8', 'x-amz-error-code': error.code, 'x-amz-error-message': error.message }
  await send(response, { status: error.status, headers, body: error.status === 304 ? undefined : body }, method === 'HEAD')
}

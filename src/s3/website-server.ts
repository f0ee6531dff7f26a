import type { WebsiteConfiguration } from '@aws-sdk/client-s3'
import { S3Error } from '../wire/errors.ts'
import { requestReaderOf } from '../wire/read-request.ts'
import { responseWriterOf } from '../wire/write-response.ts'
import { escapeText } from '../wire/xml-text.ts'
import { anonymousCaller, hideMissing } from './admission.ts'
import { send } from './answer.ts'
import { decodeDocument } from './bucket-documents.ts'
import { toS3Error } from './engine-errors.ts'
import { bucketOf, keyOf } from './exchange.ts'
import { readVersion } from './read-version.ts'
import { folderIndexOf, pathOf, planWebsiteError, planWebsiteRequest } from './website-routing.ts'
import type { Bucket } from '../../engine/index.ts'
import type { S3RequestFacts } from './request-facts.ts'
import type { Exchange } from './exchange.ts'
import type { S3Service } from './operation.ts'
import type { WebsiteRequest, WebsiteStep } from './website-routing.ts'

/** One request to a website host, and the configuration that answers it. */
interface Visit {
  readonly exchange: Exchange
  readonly service: S3Service
  readonly facts: S3RequestFacts
  readonly bucket: string
  readonly row: Bucket
  readonly website: WebsiteConfiguration
  readonly request: WebsiteRequest
}

export interface Visitors {
  /** Who visits, with what decides about it. Throws where the signature is wrong. */
  readonly authenticated: () => Promise<S3RequestFacts>
  readonly hostId: string
}

/**
 * A bucket's website on its own host: https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 *
 * Reads only, and errors as HTML. Every object that is sent is one that the caller may read: without a signature, by the
 * bucket's policy or access control lists alone. `authenticated` throws for a wrong signature.
 */
export async function serveWebsite(exchange: Exchange, service: S3Service, { authenticated, hostId }: Visitors): Promise<void> {
  exchange.context.notes.operation = 'WebsiteGetObject'
  try {
    await visit(exchange, service, authenticated)
  } catch (error) {
    await sendHtmlError(exchange, error, hostId)
  }
}

async function visit(exchange: Exchange, service: S3Service, authenticated: Visitors['authenticated']): Promise<void> {
  const { method, address, request: { headers } } = exchange
  if (method !== 'GET' && method !== 'HEAD') throw new S3Error('MethodNotAllowed', undefined, { Method: method, ResourceType: 'OBJECT' })
  const facts = await authenticated()
  if (facts.caller !== anonymousCaller) exchange.context.notes.accessKeyId = facts.caller.accessKeyId
  const bucket = bucketOf(address)
  const row = await service.engine.headBucket(bucket)
  const stored = await service.engine.getBucketDocument(bucket, 'website')
  if (stored === undefined) throw new S3Error('NoSuchWebsiteConfiguration', undefined, { BucketName: bucket })
  const website = decodeDocument<WebsiteConfiguration>(stored)
  const request: WebsiteRequest = { protocol: 'http', host: headers.host ?? '', key: keyOf(address) }
  const here: Visit = { exchange, service, facts, row, bucket, website, request }
  const step = planWebsiteRequest(website, request)
  try {
    await answer(here, step, undefined)
  } catch (error) {
    await recover(here, toS3Error(error), toS3Error(await hideMissing(service, { facts, bucketRow: row }, error)))
  }
}

/** After an error, as it `happened` and as the caller may see it: the folder that was meant, a rule for the error, the error document, else the error itself. */
async function recover(here: Visit, happened: S3Error, error: S3Error): Promise<void> {
  const { exchange, website, request } = here
  if (exchange.response.headersSent || error.status < 400 || error.status === 412 || error.status === 416) throw error
  const index = happened.code === 'NoSuchKey' ? folderIndexOf(website, request) : undefined
  if (index !== undefined && (await canRead(here, index))) {
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

async function canRead({ service, facts, row, bucket }: Visit, key: string): Promise<boolean> {
  try {
    await service.authorizer.require(facts, [{ action: 's3:GetObject', bucket: row, key }])
    await service.engine.headObject({ bucket, key })
    return true
  } catch (error) {
    if ([403, 404].includes(toS3Error(error).status)) return false
    throw error
  }
}

async function answer(here: Visit, step: WebsiteStep, error: S3Error | undefined): Promise<void> {
  if (step.kind === 'redirect') await redirect(here.exchange, step)
  else await sendObject(here, step.key, error)
}

/** The object, under the error's status where it is an error document. Conditions and ranges are of the object that was asked for. */
async function sendObject({ exchange, service, facts, row, bucket }: Visit, key: string, error: S3Error | undefined): Promise<void> {
  const { request: { headers }, method, response, context } = exchange
  const wanted = error === undefined ? headers : {}
  const { input } = requestReaderOf('GetObject').read({ bucket, key, query: new Map(), headers: wanted })
  await service.authorizer.require(facts, [{ action: 's3:GetObject', bucket: row, key }])
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

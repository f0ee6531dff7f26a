import { createHmac, hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { badRequest, CatalogError, type RequestSigner, type SigningRequest } from '../../catalog/index.ts'
import { canonicalRequest } from '../sigv4/canonical-request.ts'
import { hmacSigningKey } from '../sigv4/signing-keys.ts'
import { viewRequest } from '../sigv4/signed-request.ts'
import { basicTimestamp } from '../sigv4/timestamps.ts'
import { parseAddress, type Address } from '../wire/address.ts'
import { S3Error } from '../wire/errors.ts'
import { parseXml, type XmlElement } from '../wire/parse-xml.ts'

export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface RemoteSignerOptions {
  readonly clock: Clock
  /** Hosts whose first label before them is a bucket, as the object store has them. */
  readonly domains: readonly string[]
  /** Of the request's caller: its own key, or a session of its own rights. Undefined: it has none. */
  readonly credentials: () => Promise<SigningCredentials | undefined>
}

/**
 * Signs S3 requests of one catalog client (remote signing). Only what file access needs is signed: objects, multipart
 * uploads, DeleteObjects and ListObjectsV2, every key of them allowed, read from the address as the object store reads
 * it. The signature is the caller's own, so it gives no right that the caller does not have.
 */
export function createRemoteSigner({ credentials, clock, domains }: RemoteSignerOptions): RequestSigner {
  return {
    async sign(request, isAllowed) {
      for (const { bucket, key } of targetsOf(request, domains)) if (!isAllowed(bucket, key)) throw new CatalogError('Forbidden', 'The request is not for the table’s files')
      const found = await credentials()
      if (found === undefined) throw new CatalogError('Forbidden', 'Not authorized to make this request')
      return signed(request, found, clock.nowMs())
    },
  }
}

interface Target {
  readonly bucket: string
  readonly key: string
}

/** Query parameters that file access uses; another could mean another operation. */
const objectParameters = ['x-id', 'uploads', 'uploadId', 'partNumber', 'versionId']
const listParameters = ['x-id', 'list-type', 'prefix', 'delimiter', 'continuation-token', 'start-after', 'max-keys', 'encoding-type', 'fetch-owner']

/** Every key that the request reads or writes. A listing is for its prefix. */
function targetsOf({ uri, method, headers, body }: SigningRequest, domains: readonly string[]): readonly Target[] {
  const url = parseUrl(uri)
  const address = addressOf(url, domains)
  if (address.kind === 'service') throw unsupported()
  const { bucket } = address
  const key = address.kind === 'object' ? address.key : ''
  const parameters = [...url.searchParams.keys()]
  if (new Set(parameters).size < parameters.length) throw unsupported()
  const source = headerOf(headers, 'x-amz-copy-source')
  if (key !== '') {
    requireParameters(parameters, objectParameters)
    return source === undefined ? [{ bucket, key }] : [{ bucket, key }, copySource(source)]
  }
  if (method === 'GET' && url.searchParams.get('list-type') === '2') {
    requireParameters(parameters, listParameters)
    return [{ bucket, key: url.searchParams.get('prefix') ?? '' }]
  }
  if (method === 'POST' && url.searchParams.has('delete')) {
    requireParameters(parameters, ['delete', 'x-id'])
    requireBodyDigest(headers, body)
    return deletedKeys(body).map((deleted) => ({ bucket, key: deleted }))
  }
  throw unsupported()
}

function parseUrl(uri: string): URL {
  try {
    return new URL(uri)
  } catch {
    throw badRequest('Invalid uri')
  }
}

function addressOf({ host, pathname }: URL, domains: readonly string[]): Address {
  try {
    return parseAddress({ host, path: pathname, domains })
  } catch (error) {
    if (error instanceof S3Error) throw badRequest('Invalid uri')
    throw error
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest('Invalid uri')
  }
}

function requireParameters(parameters: readonly string[], known: readonly string[]): void {
  if (parameters.some((parameter) => !known.includes(parameter))) throw unsupported()
}

function unsupported(): CatalogError {
  return new CatalogError('Forbidden', 'Requests of this kind are not signed')
}

function copySource(source: string): Target {
  const [bucket = '', ...rest] = decode(source.split('?')[0] ?? '').replace(/^\//, '').split('/')
  return { bucket, key: rest.join('/') }
}

/** The signature must hold the client to the very list of keys that was looked at. */
function requireBodyDigest(headers: SigningRequest['headers'], body: string | undefined): void {
  const declared = headerOf(headers, 'x-amz-content-sha256')
  const md5 = headerOf(headers, 'content-md5')
  if (body === undefined) throw badRequest('DeleteObjects needs its body to be signed')
  if (declared !== hash('sha256', body, 'hex') && md5 !== hash('md5', body, 'base64')) throw badRequest('DeleteObjects needs a digest of its body to be signed')
}

function deletedKeys(body: string | undefined): readonly string[] {
  let root: XmlElement
  try {
    root = parseXml(Buffer.from(body ?? '', 'utf8'))
  } catch (error) {
    if (error instanceof S3Error) throw badRequest('The body is not a Delete document')
    throw error
  }
  const objects = root.children.filter(({ name }) => name === 'Object')
  return objects.flatMap(({ children }) => children.filter(({ name }) => name === 'Key').map(({ text }) => text))
}

function headerOf(headers: SigningRequest['headers'], name: string): string | undefined {
  return Object.entries(headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1].join(',')
}

/** Headers that change between the uses of one signature stay unsigned. */
function isSigned(name: string): boolean {
  return name === 'host' || name === 'content-md5' || name === 'content-type' || name.startsWith('x-amz-')
}

function signed(request: SigningRequest, { accessKeyId, secretAccessKey, sessionToken }: SigningCredentials, nowMs: number): { uri: string; headers: Record<string, string[]> } {
  const url = parseUrl(request.uri)
  const timestamp = basicTimestamp(nowMs)
  const own = ['authorization', 'host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']
  const kept = Object.entries(request.headers).filter(([name]) => !own.includes(name.toLowerCase()))
  const payload = headerOf(request.headers, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'
  const added = { host: [url.host], 'x-amz-date': [timestamp], 'x-amz-content-sha256': [payload], ...(sessionToken === undefined ? {} : { 'x-amz-security-token': [sessionToken] }) }
  const headers: Record<string, string[]> = { ...Object.fromEntries(kept.map(([name, values]) => [name, [...values]])), ...added }
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) => values.flatMap((value) => [name, value]))
  const view = viewRequest({ method: request.method, url: `${url.pathname}${url.search}`, rawHeaders })
  const headerNames = [...view.headers.keys()].filter(isSigned).sort()
  const canonical = canonicalRequest(view, { headerNames, payloadLine: payload, encodePathTwice: false, excludedParameter: undefined }, 0) ?? ''
  const credential = { date: timestamp.slice(0, 8), region: request.region, service: 's3' }
  const scope = `${credential.date}/${request.region}/s3/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')}`
  const signature = createHmac('sha256', hmacSigningKey(credential, secretAccessKey)).update(toSign).digest('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${headerNames.join(';')}, Signature=${signature}`
  return { uri: request.uri, headers: { ...headers, authorization: [authorization] } }
}

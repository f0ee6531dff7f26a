import { BodyDigests } from '../checksums/body-digests.ts'
import { authenticatePost } from '../sigv4/post-policy.ts'
import { parseBasicTimestamp } from '../sigv4/timestamps.ts'
import { escapeText } from '../wire/xml-text.ts'
import { S3Error } from '../wire/errors.ts'
import { requestReaderOf } from '../wire/read-request.ts'
import { placedNeeds } from './authorize.ts'
import { attributesOf } from './attributes.ts'
import { claimedDigests } from './claimed-digests.ts'
import { bucketOf, urlOf } from './exchange.ts'
import { readUploadForm } from './form-fields.ts'
import { refuseKey } from './keys.ts'
import { withAcl } from './object-acl.ts'
import { ownershipOf } from './object-ownership.ts'
import { factsOf, type S3RequestFacts } from './request-facts.ts'
import { admitForm, parsePostPolicy } from './post-policy.ts'
import { objectLimitBytes, verifyDigests } from './request-body.ts'
import { admitted } from './storage-quota.ts'
import { objectTagLimit, tagsOf } from './tags.ts'
import { quoted, shownVersionId } from './versions.ts'
import type { Readable } from 'node:stream'
import type { Caller } from '../identity/caller.ts'
import type { SignatureRules } from '../sigv4/authenticate.ts'
import type { PutResult, Tags } from '../../engine/index.ts'
import type { Exchange } from './exchange.ts'
import type { UploadForm } from './form-fields.ts'
import type { S3Service } from './operation.ts'
import type { FormFields } from './post-policy.ts'

/** The signature rules of this server, and who signed. */
export interface FormRules {
  readonly rules: SignatureRules
  readonly callerOf: (accessKeyId: string, sessionToken: string | undefined) => Promise<Caller | undefined>
}

/**
 * POST Object: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 *
 * Commit point: `engine.putObject`, after the policy and the file's length have been checked.
 * Errors: MalformedPOSTRequest, InvalidPolicyDocument, AccessDenied, SignatureDoesNotMatch, EntityTooLarge, EntityTooSmall, BadDigest.
 */
export async function uploadForm(exchange: Exchange, service: S3Service, { rules, callerOf }: FormRules): Promise<void> {
  const { request, response, context, address } = exchange
  context.notes.operation = 'PostObject'
  if (context.expectsContinue) response.writeContinue()
  const bucket = bucketOf(address)
  const form = await readUploadForm(request)
  const fields = new Map([...form.fields, ['bucket', bucket]])
  const { accessKeyId, sessionToken } = await authenticatePost(signatureOf(fields), rules)
  context.notes.accessKeyId = accessKeyId
  const caller = await callerOf(accessKeyId, sessionToken)
  if (caller === undefined) throw new S3Error('AccessDenied')
  const range = admitForm(parsePostPolicy(required(fields, 'policy')), fields, rules.nowMs)
  const key = required(fields, 'key').replaceAll('${filename}', form.fileName)
  refuseKey(key)
  const bucketRow = await service.engine.headBucket(bucket)
  const facts = formFacts(exchange, { fields, caller, nowMs: rules.nowMs })
  await service.authorizer.require(facts, placedNeeds(facts, { bucket: bucketRow, key }))
  const { ownerId, acl } = await ownershipOf({ service, caller, bucketRow }, { ACL: fields.get('acl') })
  const stored = storedFields(fields)
  const storage = service.storageQuota.open(caller.account, bucketRow.ownerId)
  const file = checkedFile(form, fields, range)
  try {
    const result = await service.engine.putObject({ bucket, key, ...file, body: admitted(file.body, undefined, storage), ...stored, attributes: withAcl(stored.attributes, acl), ownerId })
    answerForm(exchange, fields, { bucket, key, result })
  } finally {
    storage.release()
  }
}

/** The fields of a form are what headers are elsewhere; its own names for two of them are others. */
function formFacts(exchange: Exchange, { fields, caller, nowMs }: { fields: FormFields; caller: Caller; nowMs: number }): S3RequestFacts {
  const facts = factsOf(exchange, { operation: 'PostObject', caller, authentication: undefined, nowMs })
  const names: Readonly<Record<string, string>> = { 'x-amz-acl': 'acl', 'x-amz-tagging': 'tagging' }
  return {
    ...facts,
    signed: { authType: 'POST', atMs: parseBasicTimestamp(required(fields, 'x-amz-date')) ?? nowMs },
    header: name => fields.get(names[name] ?? name) ?? (name === 'user-agent' || name === 'referer' ? facts.header(name) : undefined),
    body: { tags: tagsIn(fields.get('tagging')) },
  }
}

function signatureOf(fields: FormFields) {
  if (fields.has('awsaccesskeyid') && !fields.has('x-amz-algorithm')) {
    throw new S3Error('InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.')
  }
  return {
    policy: required(fields, 'policy'),
    algorithm: required(fields, 'x-amz-algorithm'),
    credential: required(fields, 'x-amz-credential'),
    date: required(fields, 'x-amz-date'),
    signature: required(fields, 'x-amz-signature'),
    sessionToken: fields.get('x-amz-security-token'),
  }
}

function required(fields: FormFields, name: string): string {
  const value = fields.get(name)
  if (value !== undefined && value !== '') return value
  if (name === 'key') throw new S3Error('InvalidArgument', 'Bucket POST must contain a field named \'key\'.  If it is specified, please check the order of the fields.', { ArgumentName: 'key', ArgumentValue: '' })
  throw new S3Error('AccessDenied', `Bucket POST must contain a field named '${name}'.`)
}

function storedFields(fields: FormFields) {
  const userMetadata: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of fields) if (name.startsWith('x-amz-meta-')) userMetadata[name.slice('x-amz-meta-'.length)] = value
  const attributes = attributesOf(
    {
      CacheControl: fields.get('cache-control'),
      ContentDisposition: fields.get('content-disposition'),
      ContentEncoding: fields.get('content-encoding'),
      ContentType: fields.get('content-type'),
      Metadata: userMetadata,
      StorageClass: fields.get('x-amz-storage-class'),
      WebsiteRedirectLocation: fields.get('x-amz-website-redirect-location'),
    },
    fields.get('expires'),
  )
  return { attributes, tags: tagsIn(fields.get('tagging')) }
}

/** The form carries tags as the XML document of PutObjectTagging. */
function tagsIn(xml: string | undefined): Tags {
  if (xml === undefined) return {}
  const { input } = requestReaderOf('PutObjectTagging').read({ bucket: 'form', key: 'form', query: new Map(), headers: {}, body: Buffer.from(xml) })
  return tagsOf(input.Tagging?.TagSet ?? [], objectTagLimit)
}

/** The file's bytes, hashed and held to the policy's length range. */
function checkedFile({ file }: UploadForm, fields: FormFields, { minimumBytes, maximumBytes }: { minimumBytes: number; maximumBytes: number }) {
  const claimed = claimedDigests(Object.fromEntries([...fields].filter(([name]) => name === 'content-md5' || name.startsWith('x-amz-checksum-'))))
  const algorithm = claimed.checksum?.algorithm ?? 'CRC64NVME'
  const digests = new BodyDigests(['MD5', algorithm])
  const limitBytes = Math.min(maximumBytes, objectLimitBytes)
  async function* body(source: Readable): AsyncGenerator<Buffer> {
    let sizeBytes = 0
    for await (const piece of source as AsyncIterable<Buffer>) {
      sizeBytes += piece.length
      if (sizeBytes > limitBytes) throw new S3Error('EntityTooLarge', undefined, { ProposedSize: sizeBytes, MaxSizeAllowed: limitBytes })
      digests.update(piece)
      yield piece
    }
    if (sizeBytes < minimumBytes) throw new S3Error('EntityTooSmall', undefined, { ProposedSize: sizeBytes, MinSizeAllowed: minimumBytes })
  }
  return {
    body: body(file),
    finish() {
      verifyDigests(digests, claimed, new Map())
      return { etag: digests.etag(), checksums: [{ algorithm, type: 'FULL_OBJECT' as const, value: digests.base64(algorithm) }] }
    },
  }
}

function answerForm(exchange: Exchange, fields: FormFields, { bucket, key, result: { version, versioning } }: { bucket: string; key: string; result: PutResult }): void {
  const { response } = exchange
  const etag = quoted(version.etag)
  const location = urlOf(exchange, key)
  const versionId = shownVersionId(version.versionId, versioning)
  const headers: Record<string, string> = { ETag: etag, Location: location, ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }) }
  const redirect = redirectTo(fields.get('success_action_redirect') ?? fields.get('redirect'), { bucket, key, etag })
  if (redirect !== undefined) {
    response.writeHead(303, { ...headers, Location: redirect, 'Content-Length': '0' }).end()
    return
  }
  const status = fields.get('success_action_status')
  if (status !== '201') {
    response.writeHead(status === '200' ? 200 : 204, status === '200' ? { ...headers, 'Content-Length': '0' } : headers).end()
    return
  }
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>${escapeText(location)}</Location><Bucket>${escapeText(bucket)}</Bucket><Key>${escapeText(key)}</Key><ETag>${escapeText(etag)}</ETag></PostResponse>`
  response.writeHead(201, { ...headers, 'Content-Type': 'application/xml', 'Content-Length': String(Buffer.byteLength(body)) }).end(body)
}

/** A URL that is none is ignored, as AWS does. */
function redirectTo(target: string | undefined, added: Record<string, string>): string | undefined {
  if (target === undefined || !URL.canParse(target) || !/^https?:/i.test(target)) return undefined
  const url = new URL(target)
  for (const [name, value] of Object.entries(added)) url.searchParams.append(name, value)
  return url.href
}

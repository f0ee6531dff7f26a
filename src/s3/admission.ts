import { EngineError, type Bucket } from '../../engine/index.ts'
import { anonymous, anonymousCanonicalUserId } from '../policy/principal.ts'
import { S3Error } from '../wire/errors.ts'
import { placedNeeds, type PlacedNeed } from './authorize.ts'
import { parseCopySource } from './copy-source.ts'
import { parseRenameSource } from './rename-source.ts'
import { tagsOf, bucketTagLimit, objectTagLimit } from './tags.ts'
import type { CreateBucketRequest, PutBucketTaggingRequest, PutObjectLegalHoldRequest, PutObjectRetentionRequest, PutObjectTaggingRequest } from '@aws-sdk/client-s3'
import type { Caller } from '../identity/caller.ts'
import type { S3Service, Scope } from './operation.ts'
import type { BodyFacts, S3RequestFacts } from './request-facts.ts'

/** Who sends no signature. What they write is owned by AWS's account for them. */
export const anonymousCaller: Caller = {
  principal: anonymous,
  account: { name: 'anonymous', id: anonymousCanonicalUserId, accountId: '', displayName: '', email: '' },
  accessKeyId: '',
}

/** The request's target as its address and parameters name it. */
export interface Target {
  readonly scope: Scope
  readonly bucket: string
  readonly key: string
  readonly versionId: string | undefined
}

/** What has been found of a request before its body is read, to be authorized. */
export interface Admission {
  readonly facts: S3RequestFacts
  readonly bucketRow: Bucket | undefined
  readonly sourceRow: Bucket | undefined
  readonly needs: readonly PlacedNeed[]
}

/**
 * Finds the buckets that a request is about and what it needs of them. Nothing is authorized yet.
 * Errors: NoSuchBucket, AccessDenied (another owner than the client expects, or an operation that nobody may do), InvalidArgument.
 */
export async function admissionOf(service: S3Service, facts: S3RequestFacts, { scope, bucket, key, versionId }: Target): Promise<Admission> {
  const { header } = facts
  const bucketRow = scope === 'bucket' ? await visibleBucket(service, facts, bucket, header('x-amz-expected-bucket-owner')) : undefined
  const copySource = facts.operation === 'CopyObject' || facts.operation === 'UploadPartCopy' ? sourceIn(header('x-amz-copy-source')) : undefined
  const sourceRow = copySource === undefined ? undefined : await visibleBucket(service, facts, copySource.bucket, header('x-amz-source-expected-bucket-owner'))
  const located: S3RequestFacts = { ...facts, copySource }
  const renamed = facts.operation === 'RenameObject' ? header('x-amz-rename-source') : undefined
  const needs = placedNeeds(located, {
    bucket: bucketRow,
    newBucket: scope === 'newBucket' ? bucket : undefined,
    key: key === '' ? undefined : key,
    versionId,
    source: sourceRow,
    renameSource: renamed === undefined ? undefined : parseRenameSource(renamed),
  })
  return { facts: located, bucketRow, sourceRow, needs }
}

const sourceIn = (header: string | undefined) => (header === undefined ? undefined : parseCopySource(header))

/**
 * The bucket, when it is there and `expectedOwner` (an account id that a client insists on) is its owner's. Who sends no
 * signature is not told which buckets there are.
 */
async function visibleBucket({ engine, accountIdOf }: S3Service, { caller }: S3RequestFacts, bucket: string, expectedOwner: string | undefined): Promise<Bucket> {
  const row = await engine.headBucket(bucket).catch((error: unknown) => {
    throw caller === anonymousCaller && error instanceof EngineError && error.code === 'NoSuchBucket' ? new S3Error('AccessDenied') : error
  })
  if (expectedOwner !== undefined && (await accountIdOf(row.ownerId)) !== expectedOwner) throw new S3Error('AccessDenied')
  return row
}

/** Operations whose rights depend on what their body says: it is read before they are authorized. */
export const authorizedAfterBody: ReadonlySet<string> = new Set(['CreateBucket', 'PutBucketTagging', 'PutObjectTagging', 'PutObjectRetention', 'PutObjectLegalHold'])

/** The admission with what the body adds to it. */
export function withBody(admission: Admission, input: object): Admission {
  const { facts, needs } = admission
  const body = bodyFactsOf(facts.operation, input)
  const [first] = needs
  const tagged = facts.operation === 'CreateBucket' && Object.keys(body.tags ?? {}).length > 0 && first !== undefined
  return { ...admission, facts: { ...facts, body }, needs: tagged ? [...needs, { ...first, action: 's3:TagResource' }] : needs }
}

function bodyFactsOf(operation: string, input: object): BodyFacts {
  switch (operation) {
    case 'CreateBucket': {
      const { CreateBucketConfiguration: configuration } = input as CreateBucketRequest
      return { locationConstraint: configuration?.LocationConstraint, tags: tagsOf(configuration?.Tags ?? [], bucketTagLimit) }
    }
    case 'PutBucketTagging':
      return { tags: tagsOf((input as PutBucketTaggingRequest).Tagging?.TagSet ?? [], bucketTagLimit) }
    case 'PutObjectTagging':
      return { tags: tagsOf((input as PutObjectTaggingRequest).Tagging?.TagSet ?? [], objectTagLimit) }
    case 'PutObjectRetention': {
      const { Retention: retention } = input as PutObjectRetentionRequest
      return { lockMode: retention?.Mode, retainUntil: retention?.RetainUntilDate }
    }
    case 'PutObjectLegalHold':
      return { legalHold: (input as PutObjectLegalHoldRequest).LegalHold?.Status }
    default:
      return {}
  }
}

/** Who may not list a bucket is not told what is not in it: AccessDenied instead of NoSuchKey and NoSuchVersion. */
export async function hideMissing(service: S3Service, { facts, bucketRow, sourceRow }: Pick<Admission, 'facts' | 'bucketRow'> & Partial<Admission>, error: unknown): Promise<unknown> {
  if (!(error instanceof EngineError) || (error.code !== 'NoSuchKey' && error.code !== 'NoSuchVersion')) return error
  const bucket = sourceRow !== undefined && error.detail['bucket'] === sourceRow.name ? sourceRow : bucketRow
  if (bucket === undefined) return error
  try {
    await service.authorizer.require(facts, [{ action: 's3:ListBucket', bucket }])
    return error
  } catch (refusal) {
    return refusal
  }
}

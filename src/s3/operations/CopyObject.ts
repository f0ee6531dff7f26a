import type { CopyObjectOutput, CopyObjectRequest } from '@aws-sdk/client-s3'
import { GiB } from '../../../base/units.ts'
import { must } from '../../../base/assert.ts'
import { S3Error } from '../../wire/errors.ts'
import { aclMembers, type Acl } from '../acl.ts'
import { withAcl } from '../object-acl.ts'
import { ownershipOf } from '../object-ownership.ts'
import { attributeMembers, attributesOf } from '../attributes.ts'
import { checksumOutput } from '../checksum-members.ts'
import { writeConditions } from '../conditions.ts'
import { checksumOfSource } from '../copy-checksum.ts'
import { admitSource, copySourceMembers, parseCopySource } from '../copy-source.ts'
import { parseTagging } from '../tags.ts'
import { copyTagsOperation } from '../../policy/actions/s3-actions.ts'
import { quoted, shownVersionId } from '../versions.ts'
import type { ObjectId, ObjectVersion } from '../../../engine/index.ts'
import type { Call, Operation } from '../operation.ts'

const copyLimitBytes = 5 * GiB

/**
 * CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 *
 * Commit point: `engine.copyObject`; no bytes move, but they are read where another checksum algorithm than the source's
 * is asked for. A source over 5 GiB is for UploadPartCopy. There are no annotations, so that any directive about them is met.
 */
export const CopyObject: Operation<CopyObjectRequest, CopyObjectOutput> = {
  honours: [
    'Bucket', 'Key', ...copySourceMembers, ...attributeMembers, 'MetadataDirective', 'TaggingDirective', 'Tagging', 'ChecksumAlgorithm', 'AnnotationDirective',
    'IfMatch', 'IfNoneMatch', 'ExpectedBucketOwner', 'RequestPayer', ...aclMembers,
  ],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, service } = call
    const { ownerId, acl } = await ownershipOf(call, input)
    const source = parseCopySource(must(input.CopySource, 'detected by its copy source'))
    const replaced = replacements(call, source, acl)
    const mayCopyTags = replaced.tags !== undefined || (await isAllowedToCopyTags(call))
    const admit = admission(input, mayCopyTags)
    if (await call.storage.isLimited()) await call.storage.admit((await service.engine.headObject(source)).version.sizeBytes)
    const result = await service.engine.copyObject({
      source,
      ...(input.ChecksumAlgorithm === undefined ? { admit } : await checksumOfSource(service.engine, source, { algorithm: input.ChecksumAlgorithm, admit })),
      bucket,
      key,
      ...replaced,
      conditions: writeConditions(input),
      ownerId,
    })
    return {
      CopyObjectResult: { ETag: quoted(result.version.etag), LastModified: new Date(result.version.lastModifiedMs), ...checksumOutput(result.version.checksums) },
      CopySourceVersionId: sourceVersionId(source, result.source),
      VersionId: shownVersionId(result.version.versionId, result.versioning),
    }
  },
}

/** The source's tags are read and written by the copy. */
async function isAllowedToCopyTags({ require, needsOf, key }: Call<CopyObjectRequest>): Promise<boolean> {
  try {
    await require(needsOf(copyTagsOperation, key, undefined))
    return true
  } catch (error) {
    if (error instanceof S3Error && error.code === 'AccessDenied') return false
    throw error
  }
}

function admission(input: CopyObjectRequest, mayCopyTags: boolean): (source: ObjectVersion) => void {
  const admit = admitSource(input)
  return source => {
    if (!mayCopyTags && Object.keys(source.tags).length > 0) throw new S3Error('AccessDenied')
    if (source.sizeBytes > copyLimitBytes) {
      throw new S3Error('InvalidRequest', 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120')
    }
    admit(source)
  }
}

function replacements({ input, bucket, key, rawExpires }: Call<CopyObjectRequest>, source: ObjectId, acl: Acl | undefined) {
  const attributes = directive(input.MetadataDirective, 'x-amz-metadata-directive') === 'REPLACE' ? attributesOf(input, rawExpires) : undefined
  const tags = directive(input.TaggingDirective, 'x-amz-tagging-directive') === 'REPLACE' ? parseTagging(input.Tagging) : undefined
  const ontoItself = source.bucket === bucket && source.key === key && source.versionId === undefined
  const changes = attributes !== undefined || input.StorageClass !== undefined || input.WebsiteRedirectLocation !== undefined
  if (ontoItself && !changes) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  return {
    ...(attributes === undefined ? { amend: amendment(input, acl) } : { attributes: withAcl(attributes, acl) }),
    ...(tags === undefined ? {} : { tags }),
  }
}

/** Storage class, redirect location and access control list are the copy's own, never the source's. */
function amendment(input: CopyObjectRequest, acl: Acl | undefined): (source: ObjectVersion['attributes']) => ObjectVersion['attributes'] {
  const { headers: own, storageClass } = attributesOf({ StorageClass: input.StorageClass, WebsiteRedirectLocation: input.WebsiteRedirectLocation }, undefined)
  const redirect = own['x-amz-website-redirect-location']
  return source => {
    const { 'x-amz-website-redirect-location': _, ...headers } = source.headers
    const amended = redirect === undefined ? headers : { ...headers, 'x-amz-website-redirect-location': redirect }
    return withAcl({ headers: amended, userMetadata: source.userMetadata, storageClass }, acl)
  }
}

function directive(value: string | undefined, name: string): 'COPY' | 'REPLACE' {
  if (value === undefined || value === 'COPY') return 'COPY'
  if (value === 'REPLACE') return 'REPLACE'
  throw new S3Error('InvalidArgument', 'Unknown directive.', { ArgumentName: name, ArgumentValue: value })
}

const sourceVersionId = (asked: ObjectId, source: ObjectVersion): string | undefined => (asked.versionId === undefined && source.versionId === 'null' ? undefined : source.versionId)
